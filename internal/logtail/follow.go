package logtail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// fileFollower follows a file by its path: where the path leads to another
// file, the old one is read to its end before the new one is begun.
type fileFollower struct {
	file   *File
	opened *os.File // nil where there is none
	offset int64
	a      assembler
	block  []byte
}

// Follow implements [Log]. The file need not exist yet.
func (f *File) Follow(context.Context) (Follower, error) {
	t := &fileFollower{file: f, block: make([]byte, blockSize)}
	opened, info, err := f.open()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t, nil
	case err != nil:
		return nil, err
	}
	t.opened, t.offset = opened, info.Size()
	return t, nil
}

// Next implements [Follower].
func (t *fileFollower) Next(ctx context.Context, n int) ([]Line, error) {
	var lines []Line
	for len(lines) < n {
		if ctx.Err() != nil {
			return lines, context.Cause(ctx)
		}
		if t.opened == nil {
			if err := t.begin(); t.opened == nil {
				return lines, err
			}
		}
		some, err := t.read(n-len(lines), &lines)
		if err != nil {
			return lines, fmt.Errorf("read %s: %w", t.file.Name(), err)
		}
		if some {
			continue
		}
		if moved, err := t.moved(); !moved {
			return lines, err
		}
		if l, ok := t.a.rest(); ok { // the old file ended without a line break
			lines = append(lines, l)
		}
		t.opened.Close()
		t.opened = nil
	}
	return lines, nil
}

// begin opens the file from its start. That there is none yet is no error.
func (t *fileFollower) begin() error {
	opened, _, err := t.file.open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	t.opened, t.offset = opened, 0
	return err
}

// read takes lines from what was appended, at most about n, and tells whether
// there was anything. A file that has become shorter is read from its start.
func (t *fileFollower) read(n int, lines *[]Line) (some bool, err error) {
	info, err := t.opened.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() < t.offset {
		t.offset = 0
		t.a = assembler{}
	}
	read, err := t.opened.ReadAt(t.block[:min(blockSize, max(1, info.Size()-t.offset))], t.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	block := t.block[:read]
	if taken := upToLine(block, n); taken < read {
		block = block[:taken]
	}
	t.offset += int64(len(block))
	t.a.write(block, func(l Line) { *lines = append(*lines, l) })
	return len(block) > 0, nil
}

// upToLine is the length of the first n lines of a block.
func upToLine(block []byte, n int) int {
	for i, c := range block {
		if c == '\n' {
			if n--; n == 0 {
				return i + 1
			}
		}
	}
	return len(block)
}

// moved tells whether the path leads to another file by now. A path that leads
// nowhere is in the middle of a rotation.
func (t *fileFollower) moved() (bool, error) {
	there, err := os.Stat(t.file.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	here, err := t.opened.Stat()
	if err != nil {
		return false, err
	}
	return !os.SameFile(here, there), nil
}

// Close implements [Follower].
func (t *fileFollower) Close() error {
	if t.opened == nil {
		return nil
	}
	return t.opened.Close()
}
