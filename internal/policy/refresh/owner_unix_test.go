//go:build unix

package refresh

import (
	"fmt"
	"os"
	"testing"
)

// private tells why a file is not for its owner alone.
func private(file string) error {
	info, err := os.Stat(file)
	if err == nil && info.Mode().Perm() != 0o600 {
		err = fmt.Errorf("mode %v", info.Mode())
	}
	return err
}

// exposedWords are in the error of a file that others may write.
const exposedWords = "others may write"

func expose(t *testing.T, file string) {
	t.Helper()
	if err := os.Chmod(file, 0o622); err != nil {
		t.Fatal(err)
	}
}
