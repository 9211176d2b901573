package refresh

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"server-monitor/internal/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func refresh(t *testing.T, r *Refresher) {
	t.Helper()
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestRefreshReadsOnlyWhatChanged(t *testing.T) {
	store := newFake()
	for i := range 100 {
		store.put(fmt.Sprint("zz", i), 1000, false)
	}
	r, _ := newRefresher(t, store)
	refresh(t, r)
	if store.full != 1 || store.listed != 0 || !protects(r.Current(), "zz5") {
		t.Fatalf("first: %d full, %d listed", store.full, store.listed)
	}
	first := r.Current()
	refresh(t, r)
	if store.fetched != 0 || store.full != 1 || r.Current() != first {
		t.Errorf("nothing changed: %d fetched, %d full, same set %v", store.fetched, store.full, r.Current() == first)
	}
	store.put("zz5", 2000, true)
	store.put("zz6", 500, true) // imported with an older date
	store.put("new", 10, false)
	store.remove("zz7")
	refresh(t, r)
	if store.fetched != 3 || store.full != 1 {
		t.Errorf("%d fetched, %d full, want 3 and 1", store.fetched, store.full)
	}
	for name, want := range map[string]bool{"zz4": true, "zz5": false, "zz6": false, "zz7": false, "new": true} {
		if protects(r.Current(), name) != want {
			t.Errorf("%s: protected %v", name, !want)
		}
	}
	if first.Version() == r.Current().Version() || !protects(first, "zz5") {
		t.Error("the old set changed, or the version did not")
	}
}

// TestEditsThatLeaveTheDate are found by the reading of everything, and at once
// by the change stream.
func TestEditsThatLeaveTheDate(t *testing.T) {
	store := newFake()
	for i := range 10 {
		store.put(fmt.Sprint("zz", i), 1000, false)
	}
	r, _ := newRefresher(t, store)
	refresh(t, r)
	store.put("zz1", 1000, true)
	for range fullEvery - 1 {
		refresh(t, r)
		if !protects(r.Current(), "zz1") {
			t.Fatal("seen too early for this test to say anything")
		}
	}
	refresh(t, r)
	if protects(r.Current(), "zz1") || store.full != 2 {
		t.Errorf("not seen by reading everything, %d times", store.full)
	}
	store.put("zz2", 1000, true)
	id := r.held[mongoID("zz2")].ID
	r.changed(id)
	refresh(t, r)
	if protects(r.Current(), "zz2") || store.fetched != 1 {
		t.Errorf("not seen by the change stream, %d fetched", store.fetched)
	}
	store.put("zz3", 1000, true)
	r.changed(mongoID("zz3"))
	store.fail(errAway)
	if r.Refresh(t.Context()) == nil {
		t.Fatal("no error")
	}
	store.fail(nil)
	refresh(t, r)
	if protects(r.Current(), "zz3") {
		t.Error("what the change stream told was lost with a refresh that failed")
	}
}

func TestOneLogLineForEachChangeOfState(t *testing.T) {
	store := newFake()
	store.put("zz", 1, false)
	store.fail(errAway)
	r, log := newRefresher(t, store)
	steps := []struct {
		what     string
		change   func()
		state    policy.State
		up       bool
		line     string
		failures uint64
	}{
		{"never reached", func() {}, policy.NeverReached, false, "never reached", 1},
		{"still", func() {}, policy.NeverReached, false, "", 2},
		{"reached", func() { store.fail(nil) }, policy.Fresh, true, "is read", 2},
		{"still", func() {}, policy.Fresh, true, "", 2},
		{"away", func() { store.fail(errAway) }, policy.Degraded, false, "is away", 3},
		{"still", func() {}, policy.Degraded, false, "", 4},
		{"another error", func() { store.fail(fmt.Errorf("other: %w", errAway)) }, policy.Degraded, false, "", 5},
		{"back", func() { store.fail(nil) }, policy.Fresh, true, "is read", 5},
		{"malformed", func() { store.put("bad", 1, 1) }, policy.Fresh, true, "linux/bad: policy.terminatable", 5},
		{"still", func() {}, policy.Fresh, true, "", 5},
		{"put right", func() { store.put("bad", 2, true) }, policy.Fresh, true, "no document of policy is malformed", 5},
	}
	for _, step := range steps {
		step.change()
		_ = r.Refresh(t.Context())
		s := r.Status()
		if s.State != step.state || s.Up != step.up || s.Failures != step.failures {
			t.Errorf("%s: %+v", step.what, s)
		}
		lines := log.lines()
		if step.line == "" && len(lines) > 0 || step.line != "" && (len(lines) != 1 || !strings.Contains(lines[0], step.line)) {
			t.Errorf("%s: log %q, want %q", step.what, lines, step.line)
		}
		if (s.Err != "") == s.Up {
			t.Errorf("%s: error %q", step.what, s.Err)
		}
	}
}

func TestStatusCountsWhatHolds(t *testing.T) {
	store := newFake()
	store.put("zz", 1, false)
	store.put("bad", 1, "x")
	store.rules = []bson.D{{{Key: "_id", Value: "r"}, {Key: "enabled", Value: true}, {Key: "effect", Value: "protect"}, {Key: "match", Value: bson.D{{Key: "user", Value: "u"}}}}}
	r, _ := newRefresher(t, store)
	before := r.Status()
	if !before.LastSuccess.IsZero() || before.Documents[policy.Embedded] != len(policy.Catalogue()) || before.Version == "" {
		t.Errorf("before: %+v", before)
	}
	refresh(t, r)
	s := r.Status()
	if s.Documents[policy.MongoDB] != 1 || s.Rules != 1 || s.Invalid != 1 || s.Refreshes != 1 || time.Since(s.LastSuccess) > time.Minute || s.Version == before.Version {
		t.Errorf("%+v", s)
	}
	if r.Current().Denial(policy.Subject{Name: "q", User: "u"}) == nil {
		t.Error("the rule does not hold")
	}
}

// TestSeededCatalogueIsCounted: what the store says is what the catalogue says.
func TestSeededCatalogueIsCounted(t *testing.T) {
	store := newFake()
	d := policy.Catalogue()[0]
	store.documents["x"] = bson.D{
		{Key: "_id", Value: "x"}, {Key: "name", Value: d.Name}, {Key: "platform", Value: string(d.Platform)}, {Key: "category", Value: d.Category},
		{Key: "description", Value: d.Description}, {Key: "description_i18n", Value: d.DescriptionI18n}, {Key: "tags", Value: d.Tags},
		{Key: "policy", Value: bson.D{{Key: "is_system", Value: d.Policy.IsSystem}, {Key: "terminatable", Value: d.Policy.Terminatable}, {Key: "reason", Value: d.Policy.Reason}}},
	}
	r, _ := newRefresher(t, store)
	before := r.Current().Version()
	refresh(t, r)
	if s := r.Status(); s.Documents[policy.MongoDB] != 1 || s.Version != before {
		t.Errorf("%d documents, version %s; want 1 and %s", s.Documents[policy.MongoDB], s.Version, before)
	}
}

func TestRunSeesEditsWithinTheInterval(t *testing.T) {
	store := newFake()
	store.put("zz", 1, false)
	store.put("yy", 1, false)
	r, _ := newRefresher(t, store)
	done := run(t, r)
	eventually(t, 5*time.Second, func() bool { return protects(r.Current(), "zz") })
	store.put("zz", 2, true)
	start := time.Now()
	eventually(t, 5*time.Second, func() bool { return !protects(r.Current(), "zz") })
	if took := time.Since(start); took > 50*time.Millisecond+time.Second {
		t.Errorf("seen after %v with an interval of 50 ms", took) // a second for busy machines
	}
	done()
}

func TestRunHearsTheChangeStream(t *testing.T) {
	store := newFake()
	store.stream = make(chan mongostoreID)
	for i := range 5 {
		store.put(fmt.Sprint("zz", i), 1, false)
	}
	r, _ := newRefresher(t, store, func(c *Config) { c.Interval = time.Hour })
	done := run(t, r)
	eventually(t, 5*time.Second, func() bool { return r.Status().ChangeStream && r.Status().Refreshes > 1 })
	store.put("zz1", 1, true) // the same date
	store.stream <- mongoID("zz1")
	eventually(t, 5*time.Second, func() bool { return !protects(r.Current(), "zz1") })
	done()
	if r.Status().ChangeStream {
		t.Error("the stream is said to stand after the end")
	}
}

// run runs a refresher until the returned function is called.
func run(t *testing.T, r *Refresher) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, limit time.Duration, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v", limit)
		}
	}
}

func TestRefreshesSpread(t *testing.T) {
	low, high := time.Hour, time.Duration(0)
	for range 1000 {
		d := 30*time.Second - spread(30*time.Second, 0.2)
		low, high = min(low, d), max(high, d)
	}
	if low < 24*time.Second || high > 30*time.Second || high-low < 5*time.Second {
		t.Errorf("from %v to %v", low, high)
	}
}

func TestStoppingIsNoFailure(t *testing.T) {
	store := newFake()
	store.fail(context.Canceled)
	r, log := newRefresher(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = r.Refresh(ctx)
	if s := r.Status(); s.Failures != 0 || len(log.lines()) != 0 {
		t.Errorf("%+v", s)
	}
}
