package terminate

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"server-monitor/internal/ownfile"
)

// maxAuditLine bounds what is taken for a line of the audit.
const maxAuditLine = 1 << 20

// eventFields are the names of the fields of an event in their order.
var eventFields = func() []string {
	var names []string
	for field := range reflect.TypeFor[Event]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}()

// Recent reads up to n events from the file and older ones, the latest first.
func (a *FileAuditor) Recent(n int) ([]Event, error) {
	var recent []Event
	for number := 0; number <= a.keep && len(recent) < n; number++ {
		events, err := a.read(number)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return recent, err
		}
		slices.Reverse(events)
		recent = append(recent, events[:min(len(events), n-len(recent))]...)
	}
	return recent, nil
}

// Unfinished finds the requests that were accepted and have no outcome: we, or
// the machine, went down in between.
func (a *FileAuditor) Unfinished() ([]Event, error) {
	type line struct {
		Event
		at int // that it was read as; a clock may stand still between two
	}
	open, read := make(map[string]line), 0
	for number := a.keep; number >= 0; number-- {
		events, err := a.read(number)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			read++
			switch {
			case e.Stage == StageOutcome, e.Decision == Rejected:
				delete(open, e.ID)
			case e.Decision == Accepted:
				open[e.ID] = line{e, read} // an escalation replaces the decision
			}
		}
	}
	unfinished := make([]Event, 0, len(open))
	for _, l := range slices.SortedFunc(maps.Values(open), func(a, b line) int { return cmp.Compare(a.at, b.at) }) {
		unfinished = append(unfinished, l.Event)
	}
	return unfinished, nil
}

// Settle records for every unfinished request that its outcome is unknown, with
// an auditor that writes to the same file among others, and returns them. It is
// for the start: nothing is resumed.
func (a *FileAuditor) Settle(ctx context.Context, auditor Auditor) ([]Event, error) {
	unfinished, err := a.Unfinished()
	if err != nil {
		return nil, err
	}
	for i := range unfinished {
		e := &unfinished[i]
		e.Time, e.Stage, e.Decision, e.Outcome = time.Now(), StageOutcome, "", Unknown
		if err := auditor.Record(ctx, e); err != nil {
			return unfinished, err
		}
	}
	return unfinished, nil
}

// read reads the events of one file; number 0 is the present one.
func (a *FileAuditor) read(number int) ([]Event, error) {
	path := a.path
	if number > 0 {
		path = a.numbered(number)
	}
	file, err := ownfile.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, err // a device or pipe has nothing to tell
	}
	events, err := readEvents(file)
	if err != nil {
		return nil, fmt.Errorf("read audit %s: %w", path, err)
	}
	return events, nil
}

// readEvents reads lines of events. Lines that are none, as a crash or a full
// disk leaves them, are passed over.
func readEvents(r io.Reader) ([]Event, error) {
	var events []Event
	lines := bufio.NewReader(r)
	for {
		line, err := readLine(lines)
		var e Event
		if json.Unmarshal(line, &e) == nil && e.ID != "" && e.Stage != "" {
			events = append(events, e)
		}
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
	}
}

// readLine reads one line, and nothing of one that is too long.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line) <= maxAuditLine {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if len(line) > maxAuditLine {
				line = nil
			}
			return line, err
		}
	}
}
