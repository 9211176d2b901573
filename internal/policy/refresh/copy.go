package refresh

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"server-monitor/internal/ownfile"
	"server-monitor/internal/policy"
)

// copyFormat is the version of the file: a line of JSON for each document, rule
// and malformed entry, and a last line with format, origin and checksum.
const copyFormat = 1

// copyLine is one line of the copy.
type copyLine struct {
	Document *policy.Document `json:"document,omitempty"`
	Rule     *policy.Rule     `json:"rule,omitempty"`
	Invalid  *policy.Invalid  `json:"invalid,omitempty"`
	// Protects is [policy.Invalid.Rule].
	Protects *policy.Rule `json:"protects,omitempty"`
	End      *copyEnd     `json:"end,omitempty"`
}

// copyEnd is the last line.
type copyEnd struct {
	Format int `json:"format"`
	// Store is the fingerprint of the store that this is a copy of.
	Store string `json:"store"`
	// SHA256 is the checksum of all lines before.
	SHA256 string `json:"sha256"`
}

// saveCopy keeps what was read on disk. The old copy is replaced as a whole or
// not at all.
func (r *Refresher) saveCopy(c *policy.Contents) {
	if r.copyFile == "" {
		return
	}
	r.noteCopy(replaceFile(r.copyFile, func(w io.Writer) error { return writeCopy(w, c, r.store.Fingerprint()) }))
}

// touchCopy notes in its date that the copy still holds.
func (r *Refresher) touchCopy() {
	if r.copyFile == "" {
		return
	}
	now := time.Now()
	if err := os.Chtimes(r.copyFile, now, now); err != nil {
		r.noteCopy(fmt.Errorf("date the copy of policy: %w", err))
	}
}

func (r *Refresher) copyFailed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status.CopyErr != ""
}

// noteCopy says once that the copy cannot be kept.
func (r *Refresher) noteCopy(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	r.mu.Lock()
	before := r.status.CopyErr
	r.status.CopyErr = text
	r.mu.Unlock()
	switch {
	case text != "" && before == "":
		r.logger.Warn("the copy of policy cannot be kept: a restart while the database is away would know the catalogue only", "err", err)
	case text == "" && before != "":
		r.logger.Info("the copy of policy is kept again")
	}
}

// replaceFile writes a file beside the old one and puts it in its place.
func replaceFile(path string, write func(io.Writer) error) (err error) {
	file, err := ownfile.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("copy of policy: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("copy of policy: %w", err)
			_ = os.Remove(file.Name()) // what failed matters more
		}
	}()
	buffered := bufio.NewWriter(file)
	if err = errors.Join(write(buffered), buffered.Flush(), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err = ownfile.Replace(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// writeCopy writes the lines of a copy.
func writeCopy(w io.Writer, c *policy.Contents, store string) error {
	sum := sha256.New()
	encoder := json.NewEncoder(io.MultiWriter(w, sum))
	encoder.SetEscapeHTML(false)
	for i := range c.Store {
		if err := encoder.Encode(copyLine{Document: &c.Store[i]}); err != nil {
			return err
		}
	}
	for i := range c.Rules {
		if err := encoder.Encode(copyLine{Rule: &c.Rules[i]}); err != nil {
			return err
		}
	}
	for i := range c.Invalid {
		if err := encoder.Encode(copyLine{Invalid: &c.Invalid[i], Protects: c.Invalid[i].Rule}); err != nil {
			return err
		}
	}
	end := copyEnd{Format: copyFormat, Store: store, SHA256: hex.EncodeToString(sum.Sum(nil))}
	return encoder.Encode(copyLine{End: &end})
}

// loadCopy reads the copy of an earlier run, nil where there is none that can be
// used.
func (r *Refresher) loadCopy() *policy.Contents {
	if r.copyFile == "" {
		return nil
	}
	contents, saved, err := openCopy(r.copyFile, r.store.Fingerprint())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		r.logger.Warn("the copy of policy is not used", "file", r.copyFile, "err", err)
		return nil
	}
	r.status.LastSuccess = saved
	return contents
}

// openCopy reads a copy that nobody else can have written.
func openCopy(path, store string) (*policy.Contents, time.Time, error) {
	file, err := ownfile.Open(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	if err := checkOwner(file, info); err != nil {
		return nil, time.Time{}, err
	}
	contents, err := readCopy(file, store)
	return contents, info.ModTime(), err
}

// Errors of a copy.
var (
	errCut     = errors.New("it was cut off")
	errChanged = errors.New("its checksum is wrong")
	errOther   = errors.New("it is of another database")
)

// maxCopy bounds what is read of a copy.
const maxCopy = 1 << 30

// readCopy reads the lines of a copy and holds them against the checksum.
func readCopy(r io.Reader, store string) (*policy.Contents, error) {
	sum := sha256.New()
	reader := bufio.NewReader(io.LimitReader(r, maxCopy))
	contents := new(policy.Contents)
	for {
		text, err := reader.ReadBytes('\n')
		if err != nil {
			return nil, errCut
		}
		var line copyLine
		if err := json.Unmarshal(text, &line); err != nil {
			return nil, fmt.Errorf("line %q: %w", bytes.TrimSpace(text[:min(len(text), 40)]), err)
		}
		if line.End != nil {
			return contents, line.End.check(hex.EncodeToString(sum.Sum(nil)), store)
		}
		sum.Write(text)
		line.addTo(contents)
	}
}

// check holds the last line against what was read.
func (e *copyEnd) check(sum, store string) error {
	switch {
	case e.Format != copyFormat:
		return fmt.Errorf("it has format %d, want %d", e.Format, copyFormat)
	case e.SHA256 != sum:
		return errChanged
	case e.Store != store:
		return errOther
	}
	return nil
}

func (l *copyLine) addTo(c *policy.Contents) {
	switch {
	case l.Document != nil:
		c.Store = append(c.Store, policy.Prepare(l.Document))
	case l.Rule != nil:
		c.Rules = append(c.Rules, *l.Rule)
	case l.Invalid != nil:
		l.Invalid.Rule = l.Protects
		c.Invalid = append(c.Invalid, *l.Invalid)
	}
}
