package logtail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"server-monitor/internal/process"
)

const (
	// blockSize is how much is read at once.
	blockSize = 64 << 10
	// maxScan bounds how far from its end a file is searched for the
	// beginnings of lines. What is before it is told to be cut.
	maxScan = 16 << 20
)

// File is a log in a file.
type File struct{ path string }

// NewFile makes a log of the file at path, which need not exist yet.
func NewFile(path string) *File { return &File{path: path} }

// Name implements [Log].
func (f *File) Name() string { return process.Printable(f.path) }

// open opens the file, without waiting where it is a pipe.
func (f *File) open() (*os.File, os.FileInfo, error) {
	opened, err := openFile(f.path)
	if err != nil {
		return nil, nil, err
	}
	info, err := opened.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotText
	}
	if err != nil {
		opened.Close()
		return nil, nil, fmt.Errorf("open %s: %w", f.Name(), err)
	}
	return opened, info, nil
}

// Last implements [Log]. It reads the end of the file alone.
func (f *File) Last(ctx context.Context, n int) ([]Line, error) {
	opened, info, err := f.open()
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	begin, whole, err := lastLines(ctx, opened, info.Size(), n)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	var lines []Line
	var a assembler
	a.cut = !whole
	err = readBlocks(ctx, io.NewSectionReader(opened, begin, info.Size()-begin), func(block []byte) {
		a.write(block, func(l Line) { lines = append(lines, l) })
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	if l, ok := a.rest(); ok {
		lines = append(lines, l)
	}
	return lines[max(0, len(lines)-n):], nil
}

// lastLines finds where the last n lines of a file of that size begin, and
// tells whether a line begins there.
func lastLines(ctx context.Context, file io.ReaderAt, size int64, n int) (begin int64, whole bool, err error) {
	if n <= 0 {
		return size, true, nil
	}
	block := make([]byte, blockSize)
	end := size
	newlines := 0
	for end > 0 {
		if ctx.Err() != nil {
			return 0, false, context.Cause(ctx)
		}
		if size-end >= maxScan {
			return end, false, nil
		}
		from := max(0, end-blockSize)
		read, err := file.ReadAt(block[:end-from], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, false, err
		}
		for i := read - 1; i >= 0; i-- {
			if block[i] != '\n' || from+int64(i) == size-1 { // the end of the last line begins none
				continue
			}
			if newlines++; newlines == n {
				return from + int64(i) + 1, true, nil
			}
		}
		end = from
	}
	return 0, true, nil
}

// readBlocks reads to the end in blocks.
func readBlocks(ctx context.Context, r io.Reader, each func([]byte)) error {
	block := make([]byte, blockSize)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := r.Read(block)
		each(block[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// assembler makes lines of blocks and keeps no more of a line than is shown.
type assembler struct {
	line []byte
	cut  bool
}

// write takes a block and passes on the lines that end in it.
func (a *assembler) write(block []byte, each func(Line)) {
	for len(block) > 0 {
		part, rest, ended := bytes.Cut(block, []byte{'\n'})
		room := MaxLine - len(a.line)
		a.cut = a.cut || len(part) > room
		a.line = append(a.line, part[:min(room, len(part))]...)
		if !ended {
			return
		}
		each(a.take())
		block = rest
	}
}

// rest is the line that has no end yet, if there is one.
func (a *assembler) rest() (Line, bool) {
	if len(a.line) == 0 {
		return Line{}, false
	}
	return a.take(), true
}

// take makes a line of what was gathered.
func (a *assembler) take() Line {
	l := textLine(string(bytes.TrimSuffix(a.line, []byte{'\r'})))
	l.Cut = l.Cut || a.cut
	a.line, a.cut = a.line[:0], false
	return l
}

// textLine makes a line of raw text.
func textLine(raw string) Line {
	l := Line{Level: levelOf(raw)}
	if len(raw) > MaxLine {
		raw, l.Cut = raw[:MaxLine], true
	}
	l.Text = printable(raw)
	return l
}
