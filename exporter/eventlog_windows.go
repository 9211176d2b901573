package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/sys/windows/svc/eventlog"

	"server-monitor/internal/ownfile"
)

// events is the event log of Windows.
type events interface {
	Info(id uint32, message string) error
	Warning(id uint32, message string) error
	Error(id uint32, message string) error
}

// Identifiers of events, so that filters and alerts can tell them apart.
const (
	eventInfo    = 1
	eventWarning = 2
	eventError   = 3
)

// longestEvent is how much of a text ReportEvent takes (31,839 characters).
const longestEvent = 31_000

func openEventLog() (*eventlog.Log, error) {
	log, err := eventlog.Open(ownfile.ServiceName)
	if err != nil {
		return nil, fmt.Errorf("open the event log: %w", err)
	}
	return log, nil
}

// eventWriter makes an event of what is written, of the level that was set last.
type eventWriter struct {
	log   events
	mu    sync.Mutex // held from the setting of the level to the end of the writing
	level slog.Level
}

// Write implements [io.Writer].
func (w *eventWriter) Write(text []byte) (int, error) {
	message := strings.TrimSpace(string(text[:min(len(text), longestEvent)]))
	message = strings.ReplaceAll(message, "\x00", "") // which would end it
	var err error
	switch {
	case message == "":
	case w.level >= slog.LevelError:
		err = w.log.Error(eventError, message)
	case w.level >= slog.LevelWarn:
		err = w.log.Warning(eventWarning, message)
	default:
		err = w.log.Info(eventInfo, message)
	}
	if err != nil {
		return 0, fmt.Errorf("write to the event log: %w", err)
	}
	return len(text), nil
}

// eventHandler writes records to the event log, in the form that the flags say.
type eventHandler struct {
	slog.Handler
	writer *eventWriter
}

// Handle implements [slog.Handler].
func (h eventHandler) Handle(ctx context.Context, r slog.Record) error {
	h.writer.mu.Lock()
	defer h.writer.mu.Unlock()
	h.writer.level = r.Level
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h eventHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return eventHandler{h.Handler.WithAttrs(attributes), h.writer}
}

// WithGroup implements [slog.Handler].
func (h eventHandler) WithGroup(name string) slog.Handler {
	return eventHandler{h.Handler.WithGroup(name), h.writer}
}

// eventLogger makes the logger that the flags ask for, with the event log behind
// it.
func (c *config) eventLogger(log events) *slog.Logger {
	writer := &eventWriter{log: log}
	return slog.New(eventHandler{c.loggerTo(writer).Handler(), writer})
}
