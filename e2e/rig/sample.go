//go:build e2e

package rig

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// Install copies a program to a new folder below parent under a name, for as
// long as the test lasts, and returns its path. Everybody may run it.
func Install(t testing.TB, program, parent, name string) string {
	t.Helper()
	if err := removeLeftovers(parent); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(parent, ownPrefix())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := copyFile(program, path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// copyFile copies a file to a new one.
func copyFile(from, to string, mode os.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if closed := target.Close(); err == nil {
		err = closed
	}
	return err
}

// readyLine is what the sample prints once it is what it was asked to be.
var readyLine = regexp.MustCompile(`(?m)^ready (\d+)$`)

// StartSample starts e2e/sample from wherever the command says and waits until
// it is what its arguments ask for. It returns the pid.
func StartSample(t testing.TB, cmd *exec.Cmd) int {
	t.Helper()
	p := Start(t, cmd)
	ready := p.AwaitOutput(t, startLimit, readyLine.String())
	pid, err := strconv.Atoi(ready[1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// AwaitExec waits until the program of a command runs in its process in place
// of what started it.
func AwaitExec(t testing.TB, pid int, path string) {
	t.Helper()
	Eventually(t, 10*time.Second, func() error {
		link := "/proc/" + strconv.Itoa(pid) + "/exe"
		running, err := os.Readlink(link)
		if err == nil && running != path {
			err = &os.PathError{Op: "exec", Path: path, Err: os.ErrInvalid}
		}
		return err
	})
}
