package terminate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"server-monitor/internal/ownfile"
)

// FileAuditor writes events to a file, one line of JSON each, which is on the
// disk when Record returns. It makes a new file when the old one is full, and
// when somebody took it away.
type FileAuditor struct {
	path    string
	maxSize int64
	keep    int

	mu   sync.Mutex
	file *os.File
	torn bool // the last line may be incomplete
}

// The defaults of [OpenAudit].
const (
	DefaultAuditSize = 10 << 20
	DefaultAuditKeep = 5
)

// OpenAudit opens a file for events, readable for its owner alone. Once it
// would be longer than maxSize it is renamed to path.1, that to path.2, up to
// keep. Zero stands for the defaults.
func OpenAudit(path string, maxSize int64, keep int) (*FileAuditor, error) {
	if maxSize <= 0 {
		maxSize = DefaultAuditSize
	}
	if keep <= 0 {
		keep = DefaultAuditKeep
	}
	a := &FileAuditor{path: path, maxSize: maxSize, keep: keep}
	if err := a.open(); err != nil {
		return nil, err
	}
	return a, nil
}

// Close closes the file.
func (a *FileAuditor) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	err := a.file.Close()
	a.file = nil
	return err
}

// Record writes the event, and returns once it is on the disk.
func (a *FileAuditor) Record(_ context.Context, event *Event) error {
	line, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.ready(int64(len(line) + 2)); err != nil {
		return err
	}
	if a.torn {
		line = append([]byte{'\n'}, line...) // ends what an earlier failure left
	}
	if _, err := a.file.Write(append(line, '\n')); err != nil {
		a.torn = true
		return fmt.Errorf("audit: %w", err)
	}
	a.torn = false
	if err := a.file.Sync(); err != nil && !a.special() {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// ready sees to a file at the path that has room for a line.
func (a *FileAuditor) ready(length int64) error {
	if a.file != nil {
		open, err := a.file.Stat()
		there, pathErr := os.Stat(a.path)
		switch {
		case err != nil:
			return fmt.Errorf("audit: %w", err)
		case pathErr == nil && os.SameFile(open, there) && (!open.Mode().IsRegular() || open.Size() == 0 || open.Size()+length <= a.maxSize):
			return nil
		case pathErr == nil && os.SameFile(open, there):
			if err := a.rotate(); err != nil {
				return err
			}
		}
		a.file.Close()
		a.file = nil
	}
	return a.open()
}

// open opens or makes the file.
func (a *FileAuditor) open() error {
	file, err := ownfile.OpenAppend(a.path)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		err = file.Chmod(0o600)
	}
	if err != nil {
		file.Close()
		return fmt.Errorf("audit: %w", err)
	}
	a.file = file
	a.torn = info.Mode().IsRegular() && a.endsTorn(info.Size())
	a.syncFolder()
	return nil
}

// endsTorn tells whether the last line of the file may be incomplete, as after
// a crash.
func (a *FileAuditor) endsTorn(size int64) bool {
	if size == 0 {
		return false
	}
	file, err := ownfile.Open(a.path)
	if err != nil {
		return true
	}
	defer file.Close()
	var last [1]byte
	_, err = file.ReadAt(last[:], size-1)
	return err != nil || last[0] != '\n'
}

// rotate gives the file the number 1, and every older one the next.
func (a *FileAuditor) rotate() error {
	for n := a.keep - 1; n >= 1; n-- {
		err := ownfile.Replace(a.numbered(n), a.numbered(n+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("audit: %w", err)
		}
	}
	if err := ownfile.Replace(a.path, a.numbered(1)); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// numbered is the path of an older file.
func (a *FileAuditor) numbered(n int) string { return a.path + "." + strconv.Itoa(n) }

// special tells a device or pipe, which need not know how to sync.
func (a *FileAuditor) special() bool {
	info, err := a.file.Stat()
	return err == nil && !info.Mode().IsRegular()
}

// syncFolder makes the name of the file outlive a crash, where folders can be
// synced at all.
func (a *FileAuditor) syncFolder() {
	if folder, err := os.Open(filepath.Dir(a.path)); err == nil {
		_ = folder.Sync()
		folder.Close()
	}
}
