//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// wineSkips are tests that wine cannot run, by package and name, and why. On
// Windows they are to be run as the others.
var wineSkips = map[string]map[string]string{
	"./exporter": {"TestDoctor": "the owner of the port that the test itself listens on is not seen; whether that is wine's doing is open"},
}

// wineTestLimit is how long the tests of one package may take under wine.
const wineTestLimit = 3 * time.Minute

// TestWine runs the unit tests of all packages that are not the same on Windows.
func TestWine(t *testing.T) {
	wine := programs.Wine(t)
	packages := windowsPackages(t)
	if len(packages) < 5 {
		t.Fatalf("only %v differ on Windows", packages)
	}
	for _, pkg := range packages {
		t.Run(path.Base(pkg), func(t *testing.T) {
			run := wine.TestCommand(t, pkg, "-test.v", "-test.timeout="+wineTestLimit.String())
			if skip := skipPattern(t, pkg); skip != "" {
				run.Args = append(run.Args, "-test.skip="+skip)
			}
			output, err := wineOutput(t, run)
			if err != nil || !bytes.Contains(output, []byte("--- PASS")) {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// wineOutput runs a program of which children may live on, wine's own among
// them: these would hold a pipe open.
func wineOutput(t *testing.T, run *exec.Cmd) ([]byte, error) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	run.Stdout, run.Stderr = file, file
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(wineTestLimit+time.Minute, func() { _ = run.Process.Kill() })
	defer late.Stop()
	failed := run.Wait()
	output, err := os.ReadFile(file.Name())
	return output, errors.Join(failed, err)
}

// skipPattern matches the tests of a package that are left out. All of them
// exist.
func skipPattern(t *testing.T, pkg string) string {
	t.Helper()
	var names []string
	for name := range wineSkips[pkg] {
		if test, _, _ := strings.Cut(name, "/"); !declares(t, pkg, test) {
			t.Errorf("%s has no %s to skip", pkg, name)
		}
		names = append(names, "^"+strings.ReplaceAll(name, "/", "$/^")+"$")
	}
	slices.Sort(names)
	return strings.Join(names, "|")
}

// declares tells whether a test is in a package.
func declares(t *testing.T, pkg, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(programs.Source, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(text, []byte("func "+test+"("))
	})
}

// windowsPackages are those that have tests and other files on Windows than on
// Linux.
func windowsPackages(t *testing.T) []string {
	t.Helper()
	linux := packageFiles(t, "linux")
	var differ []string
	for pkg, files := range packageFiles(t, "windows") {
		if files.tests && !slices.Equal(files.all, linux[pkg].all) && pkg != "./bench" {
			differ = append(differ, pkg)
		}
	}
	slices.Sort(differ)
	return differ
}

// sourceFiles are the Go files of a package on one operating system.
type sourceFiles struct {
	all   []string
	tests bool
}

// packageFiles are the files of all packages, by folder.
func packageFiles(t *testing.T, system string) map[string]sourceFiles {
	t.Helper()
	list := exec.Command("go", "list", "-json=Dir,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	list.Dir = programs.Source
	list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
	output, err := list.Output()
	if err != nil {
		t.Fatalf("%s: %v", list, err)
	}
	found := make(map[string]sourceFiles)
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p struct {
			Dir                                string
			GoFiles, TestGoFiles, XTestGoFiles []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		folder, err := filepath.Rel(programs.Source, p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		tests := slices.Concat(p.TestGoFiles, p.XTestGoFiles)
		found["./"+folder] = sourceFiles{all: slices.Concat(p.GoFiles, tests), tests: len(tests) > 0}
	}
}
