//go:build e2e

package rig

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// makeCgroups makes a cgroup below our own in version 2 and, where systemd's
// tree of version 1 is mounted, there too. They are removed with the test, and
// with them all processes that are left.
func makeCgroups(t testing.TB, name string) []string {
	t.Helper()
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for line := range strings.Lines(string(own)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		mount := mountOfCgroup(fields[1])
		if mount == "" {
			continue
		}
		parent := filepath.Join(mount, fields[2])
		removeOldCgroups(t, parent)
		folder := filepath.Join(parent, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		made = append(made, folder)
		t.Cleanup(func() { removeCgroup(t, folder) })
	}
	return made
}

// mountOfCgroup is where the hierarchy of some controllers is mounted; only
// those that systemd manages are told.
func mountOfCgroup(controllers string) string {
	places := map[string][]string{
		"":             {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"},
		"name=systemd": {"/sys/fs/cgroup/systemd"},
	}
	for _, place := range places[controllers] {
		if _, err := os.Stat(filepath.Join(place, "cgroup.procs")); err == nil {
			return place
		}
	}
	return ""
}

// removeOldCgroups removes those of runs that were killed.
func removeOldCgroups(t testing.TB, parent string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(parent, prefix+"*-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range left {
		if !isAlive(folder) {
			removeCgroup(t, folder)
		}
	}
}

// removeCgroup ends all processes of a cgroup and removes it.
func removeCgroup(t testing.TB, folder string) {
	t.Helper()
	Eventually(t, stopLimit, func() error {
		var below []string
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				below = append(below, path)
				killMembers(path)
			}
			return err
		})
		for _, path := range slices.Backward(below) {
			if err == nil {
				err = syscall.Rmdir(path)
			}
		}
		return err
	})
}

// killMembers ends the processes of one cgroup. Version 1 has no cgroup.kill.
func killMembers(folder string) {
	members, _ := os.ReadFile(filepath.Join(folder, "cgroup.procs")) // it may be gone
	for pid := range strings.FieldsSeq(string(members)) {
		if number, err := strconv.Atoi(pid); err == nil && number > 1 {
			syscall.Kill(number, syscall.SIGKILL)
		}
	}
}
