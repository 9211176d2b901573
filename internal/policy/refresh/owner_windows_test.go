package refresh

import (
	"os"
	"testing"

	"server-monitor/internal/ownfile"
)

// private tells why a file is not for its owner alone.
func private(path string) error {
	file, err := ownfile.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return ownfile.Exposed(file)
}

// exposedWords are in the error of a file that others may write.
const exposedWords = "other users may read or write it"

// expose gives a file the access control list of a folder that everybody may
// read, as one has that an editor has made.
func expose(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.Remove(file)
	}
	if err == nil {
		err = os.WriteFile(file, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}
