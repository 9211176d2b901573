package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// runScript runs a script and returns the file that it leaves in a folder.
func runScript(t *testing.T, path, folder string) string {
	t.Helper()
	if output, err := exec.Command("sh", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	file := filepath.Join(folder, ".env")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf(".env has the mode %v", info.Mode().Perm())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
