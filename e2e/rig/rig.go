//go:build e2e

package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Rig is where the programs under test are.
type Rig struct {
	// Source is the root folder of the repository.
	Source string
	// Dir holds what the tests make. Everybody may read it.
	Dir string
	// Monitor is the built server-monitor, Sample the built e2e/sample.
	Monitor, Sample string

	wine *Wine // nil until a test wants it
}

// binaryVariable names a server-monitor to test in place of a new build.
const binaryVariable = "SERVER_MONITOR_BINARY"

// New builds the programs into a folder of their own. Close removes it.
func New() (*Rig, error) {
	source, err := sourceFolder()
	if err != nil {
		return nil, err
	}
	if err := removeLeftovers(os.TempDir()); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", ownPrefix())
	if err != nil {
		return nil, err
	}
	r := &Rig{Source: source, Dir: dir, Sample: filepath.Join(dir, "sample")}
	if err := r.prepare(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Rig) prepare() error {
	// Ordinary users of the tests run what is in it.
	if err := os.Chmod(r.Dir, 0o755); err != nil {
		return err
	}
	if err := r.build(r.Sample, "./e2e/sample"); err != nil {
		return err
	}
	if r.Monitor = os.Getenv(binaryVariable); r.Monitor != "" {
		return nil
	}
	r.Monitor = filepath.Join(r.Dir, "server-monitor")
	return r.build(r.Monitor, "./exporter")
}

// build compiles a command as it is released: without C, so that it runs in
// any file tree.
func (r *Rig) build(target, name string) error { return r.buildIn(".", target, name) }

// buildIn is build of a command of another module, by its folder.
func (r *Rig) buildIn(module, target, name string) error {
	build := exec.Command("go", "build", "-trimpath", "-o", target, name)
	build.Dir = filepath.Join(r.Source, module)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, output)
	}
	return nil
}

// Close removes what the rig has made.
func (r *Rig) Close() error {
	return errors.Join(r.wine.close(), os.RemoveAll(r.Dir))
}

// sourceFolder finds the root of the repository above the working folder.
func sourceFolder() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", os.ErrNotExist
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// skipVariable lists what of [Need] is allowed to be missing, by commas.
const skipVariable = "SERVER_MONITOR_E2E_SKIP"

// Need fails the test with what to do where something that it needs is missing;
// it skips the test only where [skipVariable] names that thing.
func Need(t testing.TB, thing string, missing error) {
	t.Helper()
	if missing == nil {
		return
	}
	if slices.Contains(strings.Split(os.Getenv(skipVariable), ","), thing) {
		t.Skipf("%s=%s: %v", skipVariable, thing, missing)
	}
	t.Fatalf("this test needs %s: %v (run e2e/install.sh as root, or leave such tests out with %s=%s)",
		thing, missing, skipVariable, thing)
}

// NeedRoot is [Need] of the rights of root.
func NeedRoot(t testing.TB) {
	t.Helper()
	var missing error
	if os.Geteuid() != 0 {
		missing = fmt.Errorf("the user id is %d", os.Geteuid())
	}
	Need(t, "root", missing)
}

// NeedPrograms is [Need] of programs in the path.
func NeedPrograms(t testing.TB, thing string, names ...string) {
	t.Helper()
	for _, name := range names {
		_, err := exec.LookPath(name)
		Need(t, thing, err)
	}
}
