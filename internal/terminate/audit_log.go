package terminate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
)

// Auditors keeps every event with all of several auditors. An event that one
// of them cannot keep is not audited.
func Auditors(auditors ...Auditor) Auditor { return auditorList(auditors) }

type auditorList []Auditor

func (l auditorList) Record(ctx context.Context, event *Event) error {
	var errs []error
	for _, a := range l {
		errs = append(errs, a.Record(ctx, event))
	}
	return errors.Join(errs...)
}

// LogAuditor writes events to the log, whatever its level.
type LogAuditor struct{ Handler slog.Handler }

// Record writes the event as one record of the log.
func (a LogAuditor) Record(ctx context.Context, event *Event) error {
	text, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	message := "Termination audit"
	switch {
	case event.Document != "":
		message = "Policy audit"
	case slices.Contains(event.Codes, CodeFailedLogin):
		message = "Login audit"
	}
	var here [1]uintptr // a record without a place is logged as of line 0 of no file
	runtime.Callers(1, here[:])
	record := slog.NewRecord(event.Time, slog.LevelInfo, message, here[0])
	for _, name := range eventFields {
		if value, ok := fields[name]; ok && name != "time" {
			record.AddAttrs(slog.Any(name, plainValue(value)))
		}
	}
	if err := a.Handler.Handle(ctx, record); err != nil {
		return fmt.Errorf("audit to the log: %w", err)
	}
	return nil
}

// plainValue gives text, numbers and booleans as themselves, all else as the
// JSON that it is, which a log in JSON nests and any other shows.
func plainValue(value json.RawMessage) any {
	var v any
	if err := json.Unmarshal(value, &v); err != nil {
		return value
	}
	switch v.(type) {
	case string, float64, bool:
		return v
	}
	return value
}

// RecentEvents keeps the latest events in memory, for showing.
type RecentEvents struct {
	mu     sync.Mutex
	events []Event
}

// recentLength is how many events are kept.
const recentLength = 1000

// Record keeps the event.
func (a *RecentEvents) Record(_ context.Context, event *Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.events) >= 2*recentLength {
		a.events = append(a.events[:0:0], a.events[len(a.events)-recentLength:]...)
	}
	a.events = append(a.events, *event)
	return nil
}

// Recent gives up to n events, the latest first.
func (a *RecentEvents) Recent(n int) []Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	var recent []Event
	for i := len(a.events) - 1; i >= 0 && len(recent) < min(n, recentLength); i-- {
		recent = append(recent, a.events[i])
	}
	return recent
}
