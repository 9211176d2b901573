package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"server-monitor/internal/ownfile"
)

// File is a file of tokens.
type File struct{ Path string }

const (
	formatVersion = 1
	maxFile       = 1 << 20
	maxName       = 64
)

// contents is the form of the file.
type contents struct {
	Version int      `json:"version"`
	Tokens  []Record `json:"tokens"`
}

// ErrForeignOwner says that the file belongs to another user.
var ErrForeignOwner = errors.New("only root or the user of the service may own it")

// Load reads the tokens. It fails where the file could have been read or
// changed by another user than its owner, or is not wholly right.
func (f File) Load() ([]Record, error) { return f.named(f.load(checkAccess)) }

// loadOwn reads the tokens for accepting them: it fails where the owner is another
// user, too. Whoever only manages a file may do so for the user of a service.
func (f File) loadOwn() ([]Record, error) { return f.named(f.load(checkAccess, checkOwner)) }

func (f File) named(records []Record, err error) ([]Record, error) {
	if err != nil {
		return nil, fmt.Errorf("token file %s: %w", f.Path, err)
	}
	return records, nil
}

func (f File) load(checks ...func(*os.File) error) ([]Record, error) {
	opened, err := ownfile.Open(f.Path)
	if err != nil {
		return nil, reason(err)
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return nil, reason(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	for _, check := range checks {
		if err := check(opened); err != nil {
			return nil, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	if err != nil {
		return nil, reason(err)
	}
	return parse(text)
}

// reason drops the path from an error that names it.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// parse reads the text of a file.
func parse(text []byte) ([]Record, error) {
	if len(text) > maxFile {
		return nil, errors.New("longer than 1 MiB")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var c contents
	if err := decoder.Decode(&c); err != nil {
		return nil, fmt.Errorf("not in the form of a token file: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("more follows behind the end")
	}
	if c.Version != formatVersion {
		return nil, fmt.Errorf("version %d is not known", c.Version)
	}
	seen := make(map[string]bool)
	for i, r := range c.Tokens {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("token %d: %w", i+1, err)
		}
		if seen[r.ID] {
			return nil, fmt.Errorf("token %d: id %s twice", i+1, r.ID)
		}
		seen[r.ID] = true
	}
	return c.Tokens, nil
}

// check tells what is wrong with a record.
func (r *Record) check() error {
	if len(r.ID) != 2*idBytes || !isHex(r.ID) {
		return errors.New("bad id")
	}
	if len(r.Hash) != len(dummyHash) || !isHex(r.Hash) || r.Hash == dummyHash {
		return errors.New("bad sha256")
	}
	if _, err := ParseRole(string(r.Role)); err != nil {
		return err
	}
	return checkName(r.Name)
}

// checkName tells a name that cannot be shown in one line.
func checkName(name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable) {
		return fmt.Errorf("name %q: want 1 to %d printable bytes", name, maxName)
	}
	return nil
}

func unprintable(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }

// Make makes a file without tokens where there is none.
func (f File) Make() error {
	if _, err := os.Stat(f.Path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.change(func(records []Record) ([]Record, error) { return records, nil })
}

// Create makes a token, puts what is to be kept of it into the file, which is
// made where there is none, and returns the token. It cannot be shown again.
func (f File) Create(name string, role Role, expires time.Time) (secret string, r Record, err error) {
	if err := checkName(name); err != nil {
		return "", Record{}, err
	}
	now := time.Now()
	if !expires.IsZero() && !expires.After(now) {
		return "", Record{}, errors.New("the token would be expired at once")
	}
	err = f.change(func(records []Record) ([]Record, error) {
		for secret == "" || slices.ContainsFunc(records, func(other Record) bool { return other.ID == r.ID }) {
			secret, r = generate(name, role, now, expires)
		}
		return append(records, r), nil
	})
	if err != nil {
		return "", Record{}, err
	}
	return secret, r, nil
}

// Revoke drops the token with that id.
func (f File) Revoke(id string) error {
	return f.change(func(records []Record) ([]Record, error) {
		left := slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.ID == id })
		if len(left) == len(records) {
			return nil, fmt.Errorf("token file %s: no token %q", f.Path, id)
		}
		return left, nil
	})
}

// change replaces the file by a changed one, one change at a time.
func (f File) change(edit func([]Record) ([]Record, error)) error {
	unlock, err := lock(f.Path + ".lock")
	if err != nil {
		return fmt.Errorf("token file %s: %w", f.Path, reason(err))
	}
	defer unlock()
	records, err := f.Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if records, err = edit(records); err != nil {
		return err
	}
	if err := f.save(records); err != nil {
		return fmt.Errorf("token file %s: %w", f.Path, reason(err))
	}
	return nil
}

// save writes the file anew and puts it in the place of the old one at once.
func (f File) save(records []Record) (err error) {
	text, err := json.MarshalIndent(contents{formatVersion, records}, "", "  ")
	if err != nil {
		return err
	}
	written, err := ownfile.CreateTemp(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			written.Close()
			os.Remove(written.Name())
		}
	}()
	if err := keepOwner(f.Path, written); err != nil {
		return err
	}
	if _, err := written.Write(append(text, '\n')); err != nil {
		return err
	}
	if err := written.Sync(); err != nil {
		return err
	}
	if err := written.Close(); err != nil {
		return err
	}
	return ownfile.Replace(written.Name(), f.Path)
}
