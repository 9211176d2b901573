//go:build e2e

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
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
	user   *exec.Cmd // who is logged in, without whom all services end
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
// does not have. Wine has been seen to fail at its first start, so it may try
// again.
func (w *Wine) prepare() error {
	err := w.boot()
	if err != nil && os.RemoveAll(w.prefix) == nil {
		err = w.boot()
	}
	if err != nil {
		return err
	}
	build := exec.Command(mingw, "-shared", "-O2", "-s", "-Wall", "-Werror",
		"-o", filepath.Join(w.prefix, "drive_c", "windows", "system32", "bcryptprimitives.dll"),
		filepath.Join(w.rig.Source, "e2e", "testdata", "wine", "bcryptprimitives.c"), "-ladvapi32", "-lntdll")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", build, err, output)
	}
	return w.logIn()
}

// boot makes the prefix, and waits until wine has ended again: what would start
// meanwhile would find services that go down.
func (w *Wine) boot() error {
	if err := os.Mkdir(w.prefix, 0o700); err != nil {
		return err
	}
	// Without a display, windows are made by the driver that draws nothing.
	draw := w.Command("reg", "add", `HKCU\Software\Wine\Drivers`, "/v", "Graphics", "/d", "null", "/f")
	for _, step := range []*exec.Cmd{w.Command("wineboot", "--init"), draw, exec.Command(wineServer, "--wait")} {
		step.Env = w.environment()
		if output, err := step.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", step, err, output)
		}
	}
	return nil
}

// logIn starts a program that waits for a line which never comes. Wine ends its
// services, and itself, with the last program that is none.
func (w *Wine) logIn() error {
	w.user = w.Command("cmd")
	if _, err := w.user.StdinPipe(); err != nil {
		return err
	}
	w.user.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // where the tests are killed
	return w.user.Start()
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

// close ends all processes of the prefix.
func (w *Wine) close() error {
	if w == nil {
		return nil
	}
	kill := exec.Command(wineServer, "--kill")
	kill.Env = w.environment()
	output, err := kill.CombinedOutput()
	w.user.Process.Kill()
	w.user.Wait() // which tells that it was killed
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", kill, err, output)
	}
	return nil
}

// ProgramData is where programs of Windows keep their data, on this machine.
func (w *Wine) ProgramData() string { return filepath.Join(w.prefix, "drive_c", "ProgramData") }
