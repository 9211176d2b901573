//go:build e2e

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// Where Debian's packages wine64 and gcc-mingw-w64-x86-64-win32 put what is
// needed here. Wine's are in no path without the package wine.
const (
	wineLoader = "/usr/lib/wine/wine64"
	wineServer = "/usr/lib/wine/wineserver64"
	mingw      = "x86_64-w64-mingw32-gcc-win32"
)

// Wine is a Windows: a folder (WINEPREFIX) with a registry, a service control
// manager and processes of its own. / is its drive Z:.
type Wine struct {
	rig    *Rig
	prefix string
}

// Wine is the Windows that all tests of the run share. It needs no display.
func (r *Rig) Wine(t testing.TB) *Wine {
	t.Helper()
	NeedPrograms(t, "wine", wineLoader, wineServer, mingw)
	if r.wine == nil {
		w := &Wine{rig: r, prefix: filepath.Join(r.Dir, "wine")}
		if err := w.prepare(); err != nil {
			t.Fatal(err)
		}
		r.wine = w
	}
	return r.wine
}

// prepare makes the prefix, and puts into it what Go programs need and wine
// does not have.
func (w *Wine) prepare() error {
	if err := os.Mkdir(w.prefix, 0o700); err != nil {
		return err
	}
	boot := w.Command("wineboot", "--init")
	if output, err := boot.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", boot, err, output)
	}
	build := exec.Command(mingw, "-shared", "-O2", "-s", "-Wall", "-Werror",
		"-o", filepath.Join(w.prefix, "drive_c", "windows", "system32", "bcryptprimitives.dll"),
		filepath.Join(w.rig.Source, "e2e", "testdata", "wine", "bcryptprimitives.c"), "-ladvapi32", "-lntdll")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", build, err, output)
	}
	return nil
}

// environment is that of all programs of the prefix: no display, no messages of
// wine itself, none of the parts that it would want to download.
func (w *Wine) environment() []string {
	return append(os.Environ(), "DISPLAY=", "WINEPREFIX="+w.prefix, "WINEARCH=win64", "WINEDEBUG=-all",
		"WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=")
}

// Command runs a program of Windows: a path of this machine, or a name that is
// in the path of Windows.
func (w *Wine) Command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(wineLoader, append([]string{program}, args...)...)
	cmd.Env = w.environment()
	return cmd
}

// Path is what a program of Windows calls a file of this machine.
func (w *Wine) Path(file string) string { return `Z:` + strings.ReplaceAll(file, "/", `\`) }

// Exe builds server-monitor for Windows, once.
func (w *Wine) Exe(t testing.TB) string {
	t.Helper()
	exe := filepath.Join(w.rig.Dir, "server-monitor.exe")
	if _, err := os.Stat(exe); err != nil {
		w.goCommand(t, "build", "-o", exe, "./exporter")
	}
	return exe
}

// TestCommand builds the test binary of a package ("./internal/process"), and
// runs it in the folder of the package as "go test" does.
func (w *Wine) TestCommand(t testing.TB, pkg string, args ...string) *exec.Cmd {
	t.Helper()
	binary := filepath.Join(t.TempDir(), path.Base(pkg)+".test.exe")
	w.goCommand(t, "test", "-c", "-o", binary, pkg)
	cmd := w.Command(binary, args...)
	cmd.Dir = filepath.Join(w.rig.Source, pkg)
	return cmd
}

// goCommand runs the go tool for Windows. The flags are those of "go vet", so
// that what "make vet" has compiled is not compiled again.
func (w *Wine) goCommand(t testing.TB, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = w.rig.Source
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, output)
	}
}

// close ends all processes of the prefix, and waits for it. That fails where
// they have ended by themselves.
func (w *Wine) close() {
	if w == nil {
		return
	}
	kill := exec.Command(wineServer, "--kill")
	kill.Env = w.environment()
	kill.Run()
}
