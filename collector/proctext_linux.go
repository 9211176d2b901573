package collector

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// openProc checks that there is a procfs, once and at the start.
func openProc(paths Paths) error {
	if _, err := procfs.NewFS(paths.Proc); err != nil {
		return fmt.Errorf("open procfs: %w", err)
	}
	return nil
}

// procTexts hold memory for what is read of procfs.
var procTexts = sync.Pool{New: func() any { return new(make([]byte, 0, 8<<10)) }}

// readProc reads a file of procfs and has its text parsed, which is not to be
// kept. It does without package os, for which such a file is one to wait for.
func readProc(path string, parse func(text []byte) error) error {
	buffer := procTexts.Get().(*[]byte)
	defer procTexts.Put(buffer)
	fd, err := open(path)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	*buffer, err = readAll(fd, (*buffer)[:0])
	_ = unix.Close(fd)
	if err != nil {
		return &fs.PathError{Op: "read", Path: path, Err: err}
	}
	if err := parse(*buffer); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func open(path string) (fd int, err error) {
	for {
		if fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0); !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// readAll appends the rest of a file.
func readAll(fd int, text []byte) ([]byte, error) {
	for {
		text = slices.Grow(text, 1<<10)
		n, err := unix.Read(fd, text[len(text):cap(text)])
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return text, err
		case n == 0:
			return text, nil
		default:
			text = text[:len(text)+n]
		}
	}
}

// field cuts the first word off a line.
func field(line []byte) (word, rest []byte) {
	line = bytes.TrimLeft(line, " \t")
	if at := bytes.IndexAny(line, " \t\n"); at >= 0 {
		return line[:at], line[at:]
	}
	return line, nil
}

// number64 reads a decimal number. One that is too large is the largest there is.
func number64(word []byte) (n uint64, ok bool) {
	for _, c := range word {
		if c < '0' || c > '9' {
			return 0, false
		}
		high, low := bits.Mul64(n, 10)
		low, carry := bits.Add64(low, uint64(c-'0'), 0)
		if high+carry > 0 {
			return math.MaxUint64, true
		}
		n = low
	}
	return n, len(word) > 0
}
