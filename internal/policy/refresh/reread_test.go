package refresh

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"server-monitor/internal/policy"
)

// TestRefreshThatRunsOutOfTime is a failure like any other: it is counted and
// logged, and what the change stream told is not lost.
func TestRefreshThatRunsOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		for i := range 5 {
			store.put(fmt.Sprint("zz", i), 1000, false)
		}
		r, log := newRefresher(t, store)
		refresh(t, r)
		log.lines()
		store.put("zz1", 1000, true) // the date stays
		r.changed(mongoID("zz1"))
		store.setHang(true)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := r.Refresh(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if s := r.Status(); s.Failures != 1 || s.Up || s.State != policy.Degraded {
			t.Errorf("%+v", s)
		}
		if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "is away") {
			t.Errorf("log %q", lines)
		}
		store.setHang(false)
		refresh(t, r)
		if protects(r.Current(), "zz1") {
			t.Error("what the change stream told is lost")
		}
	})
}

// TestRefreshAtTheEnd: what was read in time is taken, and stopping is no failure,
// but what the change stream told is kept.
func TestRefreshAtTheEnd(t *testing.T) {
	store := newFake()
	store.put("zz", 1000, false)
	r, _ := newRefresher(t, store)
	refresh(t, r)
	r.changed(mongoID("zz"))
	store.setHang(true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 { // it may get its turn, or not
		if err := r.Refresh(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	if s := r.Status(); s.Failures != 0 || !s.Up || !r.dirty[mongoID("zz")] {
		t.Errorf("%+v, %v", s, r.dirty)
	}
}

// TestTurnIsWaitedForInVain: whoever waits for a refresh that does not end does
// not wait longer than he wants to, and nothing is said about the store.
func TestTurnIsWaitedForInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.put("zz", 1000, false)
		r, log := newRefresher(t, store)
		refresh(t, r)
		log.lines()
		if err := r.begin(t.Context()); err != nil { // a refresh that hangs
			t.Fatal(err)
		}
		for what, try := range map[string]func(context.Context) error{
			"Refresh": r.Refresh,
			"Reread":  func(ctx context.Context) error { return r.Reread(ctx, "zz") },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			began := time.Now()
			err := try(ctx)
			cancel()
			if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 3*time.Second {
				t.Errorf("%s: %v after %v", what, err, took)
			}
		}
		if s := r.Status(); s.Failures != 0 || !s.Up {
			t.Errorf("%+v", s)
		}
		if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "does not hold here yet") {
			t.Errorf("log %q", lines)
		}
		select {
		case <-r.wake:
		default:
			t.Error("no refresh is asked for")
		}
		r.end()
		refresh(t, r)
	})
}

func TestReread(t *testing.T) {
	store := newFake()
	r, _ := newRefresher(t, store)
	store.put("zz1", 1000, false)
	store.put("zz2", 1000, false)
	if err := r.Reread(t.Context(), "zz1"); err != nil || store.full != 1 || !protects(r.Current(), "zz2") {
		t.Fatalf("before the first refresh: %v, %d full", err, store.full)
	}
	steps := []struct {
		what      string
		change    func()
		name      string
		protected bool
	}{
		{"changed", func() { store.put("zz1", 1000, true) }, "zz1", false},
		{"new", func() { store.put("zz3", 1000, false) }, "zz3", true},
		{"malformed", func() { store.put("zz2", 2000, "no boolean") }, "zz2", true},
		{"mended", func() { store.put("zz2", 2000, true) }, "zz2", false},
		{"deleted", func() { store.remove("zz3") }, "zz3", false},
	}
	for _, step := range steps {
		step.change()
		if err := r.Reread(t.Context(), step.name); err != nil || protects(r.Current(), step.name) != step.protected {
			t.Errorf("%s: %v, protected %v", step.what, err, !step.protected)
		}
	}
	if store.full != 1 || store.listed != 0 || store.fetched != 0 {
		t.Errorf("%d full, %d listed, %d fetched", store.full, store.listed, store.fetched)
	}
	version := r.Current().Version()
	refresh(t, r)
	if r.Current().Version() != version {
		t.Error("a refresh finds something else")
	}
	store.put("zz1", 3000, false)
	store.fail(errAway)
	if err := r.Reread(t.Context(), "zz1"); !errors.Is(err, errAway) || protects(r.Current(), "zz1") {
		t.Errorf("away: %v", err)
	}
}

// TestStartsSpread: servers that were started together and have a copy ask one
// after the other; one without asks at once.
func TestStartsSpread(t *testing.T) {
	copyFile := filepath.Join(t.TempDir(), "policy")
	store := newFake()
	store.put("zz", 1000, false)
	first, _ := newRefresher(t, store, func(c *Config) { c.CopyFile = copyFile })
	refresh(t, first)
	starts := func(copyFile string) (earliest, latest time.Duration) {
		earliest = time.Hour
		for range 50 {
			synctest.Test(t, func(t *testing.T) {
				r, _ := newRefresher(t, store, func(c *Config) { c.CopyFile, c.Interval = copyFile, time.Hour })
				began := time.Now()
				stop := run(t, r)
				for r.Status().Refreshes == 0 {
					time.Sleep(10 * time.Millisecond)
				}
				took := time.Since(began)
				earliest, latest = min(earliest, took), max(latest, took)
				stop()
			})
		}
		return earliest, latest
	}
	if earliest, latest := starts(copyFile); latest > startPause+20*time.Millisecond || latest-earliest < startPause/4 {
		t.Errorf("with a copy from %v to %v", earliest, latest)
	}
	if _, latest := starts(""); latest > 10*time.Millisecond {
		t.Errorf("without a copy after %v", latest)
	}
}
