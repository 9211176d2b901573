//go:build e2e

package rig

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cacheVariable names the folder in which file trees are kept between runs.
const cacheVariable = "SERVER_MONITOR_E2E_CACHE"

// suite is the release of Debian that is booted.
const suite = "bookworm"

// packages are what a stock Debian server with nginx, sshd, rsyslog, cron and
// databases has beside the essential ones, and what the tests look with.
var packages = []string{
	"systemd", "systemd-sysv", "dbus", "libpam-systemd",
	"openssh-server", "nginx-light", "rsyslog", "cron", "postgresql", "redis-server",
	"iproute2", "procps",
}

// treeLimit is how long Debian's packages may take to arrive and unpack.
const treeLimit = 10 * time.Minute

// cacheFolder is where trees are kept: what [cacheVariable] says, else the
// user's cache, else the machine's.
func cacheFolder() string {
	if folder := os.Getenv(cacheVariable); folder != "" {
		return folder
	}
	if folder := os.Getenv("XDG_CACHE_HOME"); folder != "" {
		return filepath.Join(folder, "server-monitor-e2e")
	}
	return "/var/cache/server-monitor-e2e"
}

// unpackTree returns the folder of a fresh Debian file tree, which is removed
// with the test.
func unpackTree(t testing.TB) string {
	t.Helper()
	cache := cacheFolder()
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	defer lockFolder(t, cache)()
	if err := removeLeftovers(cache); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(cache, treeName())
	if _, err := os.Stat(archive); errors.Is(err, os.ErrNotExist) {
		makeTree(t, cache, archive)
	}
	root := treeFolder(t, cache)
	succeed(t, treeLimit, "tar", "--extract", "--zstd", "--numeric-owner", "--xattrs", "--xattrs-include=*",
		"--file="+archive, "--directory="+root)
	return root
}

// treeName names the archive of a tree by what it is made of.
func treeName() string {
	recipe := sha256.Sum256([]byte(suite + strings.Join(packages, ",")))
	return fmt.Sprintf("debian-%s-%s-%x.tar.zst", suite, runtime.GOARCH, recipe[:6])
}

// treeFolder makes an empty folder for a tree, beside the archives, as
// temporary folders are small on some machines.
func treeFolder(t testing.TB, cache string) string {
	t.Helper()
	root, err := os.MkdirTemp(cache, ownPrefix())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// makeTree installs Debian into a folder and packs it.
func makeTree(t testing.TB, cache, archive string) {
	t.Helper()
	begin := time.Now()
	root := treeFolder(t, cache)
	args := []string{"--variant=minbase", "--include=" + strings.Join(packages, ","), suite, root}
	succeed(t, treeLimit, "debootstrap", append(args, mirror()...)...)
	succeed(t, treeLimit, "chroot", root, "apt-get", "clean")
	packed := root + ".tar.zst"
	succeed(t, treeLimit, "tar", "--create", "--zstd", "--numeric-owner", "--xattrs", "--xattrs-include=*",
		"--exclude=./var/lib/apt/lists/*", "--file="+packed, "--directory="+root, ".")
	if err := os.Rename(packed, archive); err != nil {
		t.Fatal(err)
	}
	t.Logf("made %s in %v", archive, time.Since(begin).Round(time.Second))
}

// mirror is where this machine itself gets the suite from; nothing for the
// default of debootstrap.
func mirror() []string {
	targets, err := exec.Command("apt-get", "indextargets",
		"--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages").Output()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(targets)) {
		if uri, ok := strings.CutPrefix(strings.TrimSpace(line), suite+" main "); ok {
			return []string{uri}
		}
	}
	return nil
}

// lockFolder keeps other runs from a folder until the returned function is
// called.
func lockFolder(t testing.TB, folder string) (unlock func()) {
	t.Helper()
	dir, err := os.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, treeLimit, func() error {
		return syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	})
	return func() { dir.Close() }
}

// succeed runs a program that must not fail.
func succeed(t testing.TB, within time.Duration, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	stdout, stderr, status := Run(t, cmd, within)
	if status != 0 {
		t.Fatalf("%s: exit status %d\n%s%s", cmd, status, stdout, stderr)
	}
	return stdout
}
