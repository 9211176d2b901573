package refresh

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
)

// fakeStore holds documents in memory. The tests of module mongotest do the same
// over a real connection.
type fakeStore struct {
	mu        sync.Mutex
	documents map[string]bson.D // by _id
	rules     []bson.D
	err       error
	block     bool
	hang      bool // answers only once ctx ends, with its error
	name      string

	full, listed, fetched int
	stream                chan mongostore.ID
}

var errAway = errors.New("away")

func newFake() *fakeStore { return &fakeStore{documents: make(map[string]bson.D), name: "fake"} }

// put writes a document that protects its name unless it may be ended.
func (f *fakeStore) put(name string, updated int64, terminatable any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.documents[name] = bson.D{
		{Key: "_id", Value: name}, {Key: "name", Value: name}, {Key: "platform", Value: "linux"}, {Key: "category", Value: "utility"},
		{Key: "description", Value: "x"}, {Key: "updated_at", Value: time.UnixMilli(updated)},
		{Key: "policy", Value: bson.D{{Key: "is_system", Value: false}, {Key: "terminatable", Value: terminatable}, {Key: "reason", Value: "r"}}},
	}
}

func (f *fakeStore) remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.documents, name)
}

func (f *fakeStore) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func raw(d bson.D) bson.Raw {
	b, err := bson.Marshal(d)
	if err != nil {
		panic(err)
	}
	return b
}

// read decodes the documents that are wanted.
func (f *fakeStore) read(want func(mongostore.Entry) bool) ([]mongostore.Entry, error) {
	if f.err != nil {
		return nil, f.err
	}
	var all []mongostore.Entry
	for _, d := range f.documents {
		if e := mongostore.Decode(raw(d)); want(e) {
			all = append(all, e)
		}
	}
	return all, nil
}

// hanging waits where the store hangs.
func (f *fakeStore) hanging(ctx context.Context) error {
	f.mu.Lock()
	hang := f.hang
	f.mu.Unlock()
	if !hang {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *fakeStore) setHang(hang bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hang = hang
}

func (f *fakeStore) Stamps(ctx context.Context) ([]mongostore.Stamp, error) {
	if err := f.hanging(ctx); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listed++
	entries, err := f.read(func(mongostore.Entry) bool { return true })
	var stamps []mongostore.Stamp
	for _, e := range entries {
		stamps = append(stamps, e.Stamp)
	}
	return stamps, err
}

func (f *fakeStore) All(context.Context) ([]mongostore.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full++
	return f.read(func(mongostore.Entry) bool { return true })
}

func (f *fakeStore) Fetch(_ context.Context, ids []mongostore.ID) ([]mongostore.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fetched += len(ids)
	wanted := make(map[mongostore.ID]bool)
	for _, id := range ids {
		wanted[id] = true
	}
	return f.read(func(e mongostore.Entry) bool { return wanted[e.ID] })
}

func (f *fakeStore) Rules(context.Context) ([]mongostore.RuleEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []mongostore.RuleEntry
	for _, r := range f.rules {
		all = append(all, mongostore.DecodeRule(raw(r)))
	}
	return all, f.err
}

func (f *fakeStore) Lookup(ctx context.Context, names []string, cut string) ([]mongostore.Entry, []mongostore.RuleEntry, error) {
	if err := f.hanging(ctx); err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	block := f.block
	f.mu.Unlock()
	if block {
		time.Sleep(time.Second) // deaf to ctx, as a driver may be
	}
	rules, err := f.Rules(ctx)
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	entries, err := f.read(func(e mongostore.Entry) bool {
		name := e.Document.Name
		if e.Invalid != nil {
			name = e.Invalid.Name
		}
		if slices.Contains(names, name) {
			return true
		}
		return cut != "" && strings.HasPrefix(name, cut)
	})
	return entries, rules, err
}

func (f *fakeStore) Watch(ctx context.Context, ready func(), changed func(mongostore.ID)) error {
	if f.stream == nil {
		return errors.New("no stream")
	}
	ready()
	for {
		select {
		case id := <-f.stream:
			changed(id)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fakeStore) Fingerprint() string { return f.name }

// newRefresher makes a refresher over a store, and a log to look into.
func newRefresher(t *testing.T, store Store, change ...func(*Config)) (*Refresher, *logBuffer) {
	t.Helper()
	log := new(logBuffer)
	c := Config{Platform: policy.Linux, Store: store, Interval: 50 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(log, nil))}
	for _, f := range change {
		f(&c)
	}
	return New(c), log
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// lines are the lines since the last call.
func (l *logBuffer) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.TrimSpace(l.b.String())
	l.b.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// protects tells whether policy forbids to end a program of a user's.
func protects(s *policy.Set, name string) bool { return s.Denial(policy.Subject{Name: name}) != nil }
