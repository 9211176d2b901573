//go:build e2e

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRemoveLeftovers checks that files of runs that are over go, and those of
// runs that go on stay.
func TestRemoveLeftovers(t *testing.T) {
	over := exec.Command("true")
	if err := over.Run(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, stays := range map[string]bool{
		ownPrefix() + "tree": true,
		fmt.Sprintf("%s%d-tree", prefix, over.ProcessState.Pid()): false,
		prefix + "archive-1": true,
		"other-1-1":          true,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(path, "below"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := removeLeftovers(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v; it should stay: %v", name, err, stays)
		}
	}
}
