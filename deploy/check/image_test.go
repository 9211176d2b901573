package check

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestToolchain checks that images are built with the Go release of go.mod.
func TestToolchain(t *testing.T) {
	release := func(name, pattern string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s: nothing like %s", name, pattern)
		}
		return string(found[1])
	}
	want := release("go.mod", `(?m)^toolchain go(\S+)$`)
	if got := release("Dockerfile", `golang:([0-9.]+)-`); got != want {
		t.Errorf("the Dockerfile builds with Go %s, go.mod says %s", got, want)
	}
}
