package mongotest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/policy/mongotest/ferret"
	"server-monitor/internal/policy/mongotest/proxy"
	"server-monitor/internal/policy/refresh"
)

// log is what a refresher says.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines are the lines since the last call.
func (l *log) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return strings.FieldsFunc(l.text.String(), func(r rune) bool { return r == '\n' })
}

// interval is that of the tests.
const interval = 200 * time.Millisecond

// follow runs a refresher over a real connection, with a copy file. Debug lines
// are left out, as they are by default.
func follow(t *testing.T, uri, copyFile string) (*refresh.Refresher, *log, func()) {
	t.Helper()
	store, err := mongostore.Open(mongostore.Config{URI: uri, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	l := new(log)
	r := refresh.New(refresh.Config{
		Platform: policy.Linux, Store: store, Interval: interval, CopyFile: copyFile, Logger: slog.New(slog.NewTextHandler(l, nil)),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	var once sync.Once
	stop := func() { once.Do(func() { cancel(); <-done; store.Close(context.Background()) }) }
	t.Cleanup(stop)
	return r, l, stop
}

func eventually(t *testing.T, what string, limit time.Duration, holds func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !holds() {
		if time.Since(start) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(start)
}

func protects(r *refresh.Refresher, name string) bool {
	return r.Current().Denial(policy.Subject{Name: name}) != nil
}

// setTerminatable edits a document as an operator in mongosh does.
func setTerminatable(t *testing.T, c *mongo.Collection, name string, to any) {
	t.Helper()
	result, err := c.UpdateOne(t.Context(), bson.D{{Key: "name", Value: name}}, bson.D{
		{Key: "$set", Value: bson.D{{Key: "policy.is_system", Value: false}, {Key: "policy.terminatable", Value: to}}},
		{Key: "$currentDate", Value: bson.D{{Key: "updated_at", Value: true}}},
	})
	if err != nil || result.MatchedCount != 1 {
		t.Fatalf("edit: %+v, %v", result, err)
	}
}

// one checks that a log has exactly one line, with a word in it.
func one(t *testing.T, what string, l *log, word string) {
	t.Helper()
	lines := l.lines()
	if len(lines) != 1 || !strings.Contains(lines[0], word) {
		t.Errorf("%s: log %q, want one line with %q", what, lines, word)
	}
}

func TestEditsAreSeenWithinTheInterval(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	known := shell(t, server.URI()).Collection(policy.KnownProcesses)
	insert(t, known, seedShape("zz"), seedShape("yy"), seedShape("xx"))
	r, l, _ := follow(t, server.URI(), "")
	eventually(t, "first reading", 5*time.Second, func() bool { return protects(r, "zz") })
	version := r.Current().Version()

	setTerminatable(t, known, "zz", true)
	took := eventually(t, "an edit", 5*time.Second, func() bool { return !protects(r, "zz") })
	t.Logf("an edit was seen after %v with an interval of %v", took, interval)
	if took > interval+time.Second { // a second for busy machines
		t.Errorf("an edit was seen after %v", took)
	}
	if r.Current().Version() == version {
		t.Error("the version is as before")
	}
	known.DeleteOne(t.Context(), bson.D{{Key: "name", Value: "yy"}})
	eventually(t, "a deletion", 5*time.Second, func() bool { return !protects(r, "yy") })
	insert(t, known, seedShape("new"))
	eventually(t, "a new document", 5*time.Second, func() bool { return protects(r, "new") })
	one(t, "all of it", l, "is read from the database")

	// A malformed document protects its name, and is named once.
	setTerminatable(t, known, "zz", 1)
	eventually(t, "a malformed document", 5*time.Second, func() bool { return protects(r, "zz") })
	eventually(t, "counted", time.Second, func() bool { return r.Status().Invalid == 1 })
	one(t, "malformed", l, "policy.terminatable")
	setTerminatable(t, known, "zz", true)
	eventually(t, "put right", 5*time.Second, func() bool { return !protects(r, "zz") && r.Status().Invalid == 0 })
}

func TestVersionsAreTheSameOnAllServers(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store := openStore(t, server.URI())
	if _, err := store.Seed(t.Context(), policy.Catalogue()[:50], false); err != nil {
		t.Fatal(err)
	}
	a, _, _ := follow(t, server.URI(), "")
	b, _, _ := follow(t, server.URI(), "")
	eventually(t, "reading", 5*time.Second, func() bool { return a.Status().Up && b.Status().Up })
	if a.Current().Version() != b.Current().Version() {
		t.Errorf("versions %s and %s", a.Current().Version(), b.Current().Version())
	}
}

func TestUnreachableAtTheStart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	server, err := ferret.Start("127.0.0.1:0", folder)
	if err != nil {
		t.Fatal(err)
	}
	insert(t, shell(t, server.URI()).Collection(policy.KnownProcesses), seedShape("zz"))
	server.Stop()
	copyFile := filepath.Join(t.TempDir(), "policy")

	r, l, stop := follow(t, server.URI(), copyFile)
	if !protects(r, "systemd") {
		t.Error("the catalogue does not hold at once")
	}
	eventually(t, "failure", 5*time.Second, func() bool { return r.Status().Failures > 1 })
	if s := r.Status(); s.State != policy.NeverReached || s.Up || !s.LastSuccess.IsZero() {
		t.Errorf("%+v", s)
	}
	one(t, "away", l, "never reached")
	p := policy.Subject{Name: "zz"}
	start := time.Now()
	if c := r.Consult(t.Context(), p); c.State != policy.NeverReached || time.Since(start) > time.Second {
		t.Errorf("%+v after %v", c, time.Since(start))
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it comes", 10*time.Second, func() bool { return protects(r, "zz") })
	eventually(t, "log", time.Second, func() bool { return r.Status().Up })
	one(t, "back", l, "is read from the database")
	if c := r.Consult(t.Context(), p); c.State != policy.Fresh || c.Set.Denial(p) == nil {
		t.Errorf("%+v", c)
	}
	stop()
	server.Stop()

	// The next start finds the copy.
	again, _, _ := follow(t, server.URI(), copyFile)
	if !protects(again, "zz") || again.Status().State != policy.Degraded {
		t.Errorf("after a restart: %+v", again.Status())
	}
}

func TestKilledAndRestartedInTheMiddle(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	known := shell(t, server.URI()).Collection(policy.KnownProcesses)
	insert(t, known, seedShape("zz"), seedShape("yy"), seedShape("xx"))
	r, l, _ := follow(t, server.URI(), filepath.Join(t.TempDir(), "policy"))
	eventually(t, "reading", 5*time.Second, func() bool { return r.Status().Up })
	l.lines()
	for range 2 {
		server.Stop()
		eventually(t, "it goes", 5*time.Second, func() bool { return !r.Status().Up })
		failures := r.Status().Failures
		eventually(t, "more failures", 10*time.Second, func() bool { return r.Status().Failures > failures+2 })
		if !protects(r, "zz") || r.Status().State != policy.Degraded {
			t.Errorf("away: %+v", r.Status())
		}
		one(t, "away", l, "is away")
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it comes back", 10*time.Second, func() bool { return r.Status().Up })
		one(t, "back", l, "is read from the database")
	}
	setTerminatable(t, known, "zz", true)
	eventually(t, "an edit after all that", 5*time.Second, func() bool { return !protects(r, "zz") })
}

// TestFaultsOfTheNetwork puts a proxy between that refuses, cuts, swallows, delays
// and corrupts. Policy holds through all of it, and comes back after each.
func TestFaultsOfTheNetwork(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	between, err := proxy.Start(server.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(between.Close)
	known := shell(t, server.URI()).Collection(policy.KnownProcesses)
	insert(t, known, seedShape("zz"), seedShape("yy"), seedShape("xx"))
	r, l, _ := follow(t, between.URI(), "")
	eventually(t, "reading", 5*time.Second, func() bool { return r.Status().Up })
	l.lines()
	p := policy.Subject{Name: "zz"}
	for _, fault := range []struct {
		name string
		set  proxy.Faults
		cut  bool
	}{
		{"refused", proxy.Faults{Refuse: true}, true},
		{"swallowed", proxy.Faults{Swallow: true}, false},
		{"delayed", proxy.Faults{Delay: 3 * time.Second}, false},
		{"corrupted", proxy.Faults{Corrupt: true}, false},
	} {
		between.Set(fault.set)
		if fault.cut {
			between.Cut()
		}
		start := time.Now()
		c := r.Consult(t.Context(), p)
		took := time.Since(start)
		if took > 2*time.Second || c.State != policy.Degraded || c.Set.Denial(p) == nil || c.Err == nil {
			t.Errorf("%s: consulted in %v: %s, %v", fault.name, took, c.State, c.Err)
		}
		eventually(t, fault.name, 10*time.Second, func() bool { return !r.Status().Up })
		one(t, fault.name, l, "is away")
		start = time.Now()
		for range 1000 {
			r.Current()
			r.Status()
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("%s: a thousand scrapes waited %v for it", fault.name, took)
		}
		between.Set(proxy.Faults{})
		between.Cut()
		eventually(t, fault.name+": back", 15*time.Second, func() bool { return r.Status().Up })
		one(t, fault.name+": back", l, "is read from the database")
		eventually(t, fault.name+": consulted again", 10*time.Second, func() bool { return r.Consult(t.Context(), p).State == policy.Fresh })
	}
}

func TestNoChangeStreamMakesNoNoise(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	r, l, _ := follow(t, server.URI(), "")
	eventually(t, "some refreshes", 5*time.Second, func() bool { return r.Status().Refreshes > 4 })
	if r.Status().ChangeStream {
		t.Error("a stream stands where the server has none")
	}
	one(t, "log", l, "is read from the database")
}

func TestChangeStreamTellsAtOnce(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	stream, err := proxy.StartStream(server.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Close)
	known := shell(t, server.URI()).Collection(policy.KnownProcesses)
	documents := []any{}
	for i := range 8 {
		documents = append(documents, seedShape(fmt.Sprint("zz", i)))
	}
	insert(t, known, documents...)
	store := openStore(t, stream.URI())
	l := new(log)
	r := refresh.New(refresh.Config{Platform: policy.Linux, Store: store, Interval: time.Hour, Logger: slog.New(slog.NewTextHandler(l, nil))})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	defer func() { cancel(); <-done }()
	eventually(t, "the stream stands", 5*time.Second, func() bool { return r.Status().ChangeStream && r.Status().Refreshes > 1 })

	// An edit that leaves updated_at as it was: only the stream can tell.
	edit := func(n int) any {
		name := fmt.Sprint("zz", n)
		_, err := known.UpdateOne(t.Context(), bson.D{{Key: "name", Value: name}}, bson.D{
			{Key: "$set", Value: bson.D{{Key: "policy.is_system", Value: false}, {Key: "policy.terminatable", Value: true}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return documents[n].(bson.D)[0].Value
	}
	stream.Send(mongostore.DefaultDatabase, policy.KnownProcesses, edit(1))
	took := eventually(t, "an event", 5*time.Second, func() bool { return !protects(r, "zz1") })
	t.Logf("an event was followed after %v with an interval of an hour", took)

	// The stream outlives questions that bring no news.
	time.Sleep(1500 * time.Millisecond)
	stream.Send(mongostore.DefaultDatabase, policy.KnownProcesses, edit(2))
	eventually(t, "another event", 5*time.Second, func() bool { return !protects(r, "zz2") })
	if n := stream.Opened(); n != 1 {
		t.Errorf("%d streams were opened", n)
	}
	stream.Break()
	eventually(t, "the stream breaks", 5*time.Second, func() bool { return !r.Status().ChangeStream })
	if !r.Status().Up || r.Status().Failures != 0 {
		t.Errorf("a broken stream is no failure: %+v", r.Status())
	}
	one(t, "log", l, "is read from the database")
}
