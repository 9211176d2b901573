package token

import (
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// Keeper accepts tokens by a file, which is read again when it changes. Where
// it cannot be read, or belongs to another user, no token is accepted.
type Keeper struct {
	file   File
	logger *slog.Logger

	mu      sync.Mutex
	version version
	records []Record
	err     error
}

// version tells one state of a file from another.
type version struct {
	info fs.FileInfo
	size int64
	time time.Time
	mode fs.FileMode
	// access is what the mode does not tell of who may read the file.
	access string
}

func (v version) is(other version) bool {
	return v.info != nil && other.info != nil && os.SameFile(v.info, other.info) &&
		v.size == other.size && v.time.Equal(other.time) && v.mode == other.mode && v.access == other.access
}

// NewKeeper makes a keeper. It fails where the file cannot be read now.
func NewKeeper(file File, logger *slog.Logger) (*Keeper, error) {
	k := &Keeper{file: file, logger: logger}
	k.refresh()
	return k, k.err
}

// Accept returns what is kept of a token that holds now.
func (k *Keeper) Accept(secret string) (Record, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh()
	if k.err != nil {
		return Record{}, k.err
	}
	return find(k.records, secret, time.Now())
}

// Knows tells whether there is a token with that id, whether or not it has
// expired.
func (k *Keeper) Knows(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh()
	return slices.ContainsFunc(k.records, func(r Record) bool { return r.ID == id })
}

// refresh reads the file again where it has changed.
func (k *Keeper) refresh() {
	now, err := k.file.version()
	if err == nil && now.is(k.version) {
		return
	}
	before, first := k.err, k.version.info == nil
	k.version = now
	k.records, k.err = k.file.loadOwn()
	switch {
	case first:
	case k.err != nil && before == nil:
		k.logger.Error("no token is accepted until the token file can be read", "err", k.err)
	case k.err == nil:
		k.logger.Info("token file read again", "tokens", len(k.records))
	}
}

// version tells the present state of the file.
func (f File) version() (version, error) {
	info, err := os.Stat(f.Path)
	if err != nil {
		return version{}, err
	}
	return version{info, info.Size(), info.ModTime(), info.Mode(), accessOf(f.Path)}, nil
}
