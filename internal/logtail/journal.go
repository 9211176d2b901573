package logtail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"server-monitor/internal/process"
)

// Journal is systemd's journal, read through journalctl(1), which knows all
// forms that its files may have.
type Journal struct {
	program string
	root    string
}

// NewJournal makes a log of the journal of the machine whose file system is at
// root.
func NewJournal(root string) *Journal { return &Journal{program: "journalctl", root: root} }

// Name implements [Log].
func (j *Journal) Name() string { return "journal" }

// command makes a call of journalctl. Fields of over 4096 bytes come as null.
func (j *Journal) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{
		"--quiet", "--no-pager", "--output=json",
		"--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_COMM,_PID,_SYSTEMD_UNIT",
	}, args...)
	if j.root != "" && j.root != "/" {
		args = append(args, "--root="+j.root)
	}
	command := exec.CommandContext(ctx, j.program, args...)
	command.WaitDelay = time.Second
	return command
}

// Last implements [Log].
func (j *Journal) Last(ctx context.Context, n int) ([]Line, error) {
	if n <= 0 {
		return nil, nil
	}
	var complaint complaint
	command := j.command(ctx, "--lines="+strconv.Itoa(n))
	command.Stderr = &complaint
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, j.failed(ctx, err, &complaint)
	}
	var lines []Line
	scanned := eachEntry(out, func(l Line) bool {
		lines = append(lines, l)
		return true
	})
	if err := errors.Join(command.Wait(), scanned); err != nil {
		return nil, j.failed(ctx, err, &complaint)
	}
	return lines, nil
}

// failed says why journalctl gave nothing.
func (j *Journal) failed(ctx context.Context, err error, c *complaint) error {
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		err = fs.ErrNotExist
	case strings.Contains(c.String(), "ermission"):
		err = fs.ErrPermission
	case c.String() != "":
		err = fmt.Errorf("%w: %s", err, c.String())
	}
	return fmt.Errorf("journal: %w", err)
}

// complaint keeps the beginning of what a program says on its standard error.
type complaint struct{ text []byte }

// Write implements [io.Writer].
func (c *complaint) Write(p []byte) (int, error) {
	const limit = 512
	c.text = append(c.text, p[:min(len(p), limit-len(c.text))]...)
	return len(p), nil
}

func (c *complaint) String() string { return process.Printable(strings.TrimSpace(string(c.text))) }

// maxEntry bounds an entry of the journal in its JSON form.
const maxEntry = 1 << 20

// eachEntry reads entries, a JSON object a line, until each is false.
func eachEntry(r io.Reader, each func(Line) bool) error {
	lines := bufio.NewReaderSize(r, blockSize)
	for {
		text, cut, err := readLine(lines)
		if len(text) > 0 {
			l, ok := parseEntry(text)
			if cut {
				l, ok = Line{Level: Info, Text: tooLong, Cut: true}, true
			}
			if ok && !each(l) {
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// tooLong stands for an entry that is longer than what is read.
const tooLong = "(entry too long to show)"

// readLine reads a line, and no more of it than an entry may have.
func readLine(r *bufio.Reader) (text []byte, cut bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(text)+len(part) <= maxEntry {
			text = append(text, part...)
		} else {
			cut = true
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, cut, err
		}
	}
}

// entry is an entry in the journal's JSON form (systemd's Journal Export
// Formats, "Journal JSON Format"): a field is a string, an array of bytes where
// it is not UTF-8, an array of those where it is given several times, or null
// where it is too long.
type entry struct {
	Time       journalField `json:"__REALTIME_TIMESTAMP"`
	Message    journalField `json:"MESSAGE"`
	Priority   journalField `json:"PRIORITY"`
	Identifier journalField `json:"SYSLOG_IDENTIFIER"`
	Comm       journalField `json:"_COMM"`
	PID        journalField `json:"_PID"`
	Unit       journalField `json:"_SYSTEMD_UNIT"`
}

// journalField is the value of a field.
type journalField string

// UnmarshalJSON implements [json.Unmarshaler].
func (f *journalField) UnmarshalJSON(text []byte) error {
	var plain string
	if json.Unmarshal(text, &plain) == nil {
		if bytes.Equal(text, []byte("null")) {
			plain = tooLong
		}
		*f = journalField(plain)
		return nil
	}
	var numbers []uint8Number
	if json.Unmarshal(text, &numbers) == nil {
		raw := make([]byte, len(numbers))
		for i, n := range numbers {
			raw[i] = byte(n)
		}
		*f = journalField(raw)
		return nil
	}
	var several []journalField
	if err := json.Unmarshal(text, &several); err != nil {
		return fmt.Errorf("field of the journal: %w", err)
	}
	if len(several) > 0 {
		*f = several[0]
	}
	return nil
}

// uint8Number is a byte that JSON has as a number; []uint8 would be base64.
type uint8Number uint8

// parseEntry makes a line of an entry.
func parseEntry(text []byte) (Line, bool) {
	var e entry
	if json.Unmarshal(text, &e) != nil {
		return Line{}, false
	}
	who := e.Identifier
	if who == "" {
		who = e.Comm
	}
	message := string(e.Message)
	switch {
	case who != "" && e.PID != "":
		message = fmt.Sprintf("%s[%s]: %s", who, e.PID, message)
	case who != "":
		message = fmt.Sprintf("%s: %s", who, message)
	}
	l := textLine(message)
	l.Cut = l.Cut || e.Message == tooLong
	l.Unit = process.Printable(string(e.Unit))
	if priority, err := strconv.Atoi(string(e.Priority)); err == nil {
		l.Level = levelOfPriority(priority)
	}
	if micros, err := strconv.ParseInt(string(e.Time), 10, 64); err == nil {
		l.Time = time.UnixMicro(micros)
	}
	return l, true
}
