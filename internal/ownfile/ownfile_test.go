package ownfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file that is open is renamed, added to where it is now, and read.
func TestOpenFilesMayBeRenamed(t *testing.T) {
	folder := t.TempDir()
	path, moved := filepath.Join(folder, "log"), filepath.Join(folder, "log.1")
	added, err := OpenAppend(path)
	if err != nil {
		t.Fatal(err)
	}
	defer added.Close()
	read, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if _, err := added.WriteString("one\n"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	if _, err := added.WriteString("two\n"); err != nil {
		t.Fatal(err)
	}
	if err := added.Sync(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(moved); err != nil || string(text) != "one\ntwo\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := Open(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
}

// What was there is added to, not written over.
func TestOpenAppendAdds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, word := range []string{"a", "b"} {
		file, err := OpenAppend(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(word); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "ab" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestReplaceWhileItIsRead(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { reader.Close() })
	written, err := CreateTemp(folder, ".file.*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := written.WriteString("new"); err != nil {
		t.Fatal(err)
	}
	written.Close()
	if err := Replace(written.Name(), path); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "new" {
		t.Errorf("%q, %v", text, err)
	}
	if err := Replace(written.Name(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
}
