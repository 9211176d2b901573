//go:build unix

package token

import (
	"os"
	"testing"
)

// waysToExpose are modes of a file that others may read or write.
var waysToExpose = []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o666}

// privateAccess is the mode of a file that they may not.
const privateAccess os.FileMode = 0o600

func setAccess(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
