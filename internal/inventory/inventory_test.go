package inventory

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sourceFunc is a [Source] that counts how often it is asked.
type sourceFunc struct {
	asked    atomic.Int32
	snapshot func(ctx context.Context) (*process.Snapshot, error)
}

func (s *sourceFunc) Snapshot(ctx context.Context) (*process.Snapshot, error) {
	s.asked.Add(1)
	return s.snapshot(ctx)
}

// fixedPolicy is policy that a test may replace.
type fixedPolicy struct{ set *policy.Set }

func (f *fixedPolicy) Current() *policy.Set { return f.set }

const memoryTotal = 1 << 30

// newKeeper makes a keeper of what a function reads.
func newKeeper(snapshot func(context.Context) (*process.Snapshot, error)) (*Keeper, *sourceFunc, *fixedPolicy) {
	source := &sourceFunc{snapshot: snapshot}
	provider := &fixedPolicy{policy.NewSet(policy.Linux)}
	return NewKeeper(source, risk.NewJudge(risk.Criteria{HighMemoryRatio: 0.5}), provider), source, provider
}

// tool is a process that is like all others but for its pid.
func tool(pid int) process.Process {
	return process.Process{
		Identity: process.Identity{PID: pid, StartTicks: uint64(1000 + pid), Boot: "0123abcd"},
		State:    process.Sleeping, Revision: 1,
		Facts: &process.Facts{Name: "tool", Exe: "/usr/bin/tool", UID: 1000, User: "alice"},
	}
}

// snapshotOf is a snapshot of the given processes.
func snapshotOf(processes ...process.Process) *process.Snapshot {
	return &process.Snapshot{Taken: time.Now(), MemoryTotal: memoryTotal, Processes: processes}
}

func TestTakeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, source, _ := newKeeper(func(context.Context) (*process.Snapshot, error) {
			time.Sleep(time.Second)
			return snapshotOf(tool(7)), nil
		})
		var group sync.WaitGroup
		taken := make([]*Inventory, 20)
		for i := range taken {
			group.Go(func() {
				var err error
				if taken[i], err = keeper.Take(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for _, i := range taken {
			if i != taken[0] {
				t.Error("requests that came together got different inventories")
			}
		}
		if n := source.asked.Load(); n != 1 {
			t.Errorf("%d snapshots, want one", n)
		}
		if _, err := keeper.Take(t.Context()); err != nil || source.asked.Load() != 2 {
			t.Errorf("a later request got what was old: %d snapshots, %v", source.asked.Load(), err)
		}
	})
}

// TestTakeGivesUp has one of two requests end first. The other one gets the
// inventory, though it joined a collection that the first began.
func TestTakeGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, source, _ := newKeeper(func(ctx context.Context) (*process.Snapshot, error) {
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(10 * time.Second):
				return snapshotOf(tool(7)), nil
			}
		})
		errShort := errors.New("the scrape was over")
		var group sync.WaitGroup
		group.Go(func() {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errShort)
			defer cancel()
			if _, err := keeper.Take(ctx); !errors.Is(err, errShort) {
				t.Errorf("error %v, want %v", err, errShort)
			}
		})
		synctest.Wait()
		group.Go(func() {
			if i, err := keeper.Take(t.Context()); err != nil || len(i.Processes) != 1 {
				t.Errorf("the patient request got %v, %v", i, err)
			}
		})
		group.Wait()
		if n := source.asked.Load(); n != 1 {
			t.Errorf("%d snapshots, want one", n)
		}
	})
}

// TestTakeStuck checks that a source which hangs is not started twice, and is
// told to stop in the end.
func TestTakeStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, source, _ := newKeeper(func(ctx context.Context) (*process.Snapshot, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := keeper.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			cancel()
		}
		if n := source.asked.Load(); n != 1 {
			t.Errorf("%d snapshots, want one", n)
		}
		time.Sleep(flightLimit)
	})
}

func TestTakeEnded(t *testing.T) {
	keeper, source, _ := newKeeper(func(context.Context) (*process.Snapshot, error) { return snapshotOf(), nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := keeper.Take(ctx); !errors.Is(err, context.Canceled) || source.asked.Load() != 0 {
		t.Errorf("error %v after %d snapshots", err, source.asked.Load())
	}
}

func TestTakeFails(t *testing.T) {
	broken := errors.New("no /proc")
	keeper, _, _ := newKeeper(func(context.Context) (*process.Snapshot, error) { return nil, broken })
	if i, err := keeper.Take(t.Context()); i != nil || !errors.Is(err, broken) {
		t.Errorf("got %v, %v", i, err)
	}
}

// TestTakePanics checks that whatever a process is called, it ends one
// inventory at most and not the program.
func TestTakePanics(t *testing.T) {
	calm := false
	keeper, _, _ := newKeeper(func(context.Context) (*process.Snapshot, error) {
		if !calm {
			panic("bad name")
		}
		return snapshotOf(tool(7)), nil
	})
	if i, err := keeper.Take(t.Context()); i != nil || err == nil || !strings.Contains(err.Error(), "bad name") {
		t.Errorf("got %v, %v", i, err)
	}
	calm = true
	if i, err := keeper.Take(t.Context()); err != nil || len(i.Assessments) != 1 {
		t.Errorf("got %v, %v after the panic", i, err)
	}
}

// TestJudgementHolds follows one process. Its assessment must be made again
// when anything that it depends on changes, and only then.
func TestJudgementHolds(t *testing.T) {
	p := tool(7)
	keeper, _, provider := newKeeper(func(context.Context) (*process.Snapshot, error) {
		return snapshotOf(tool(3), p, tool(9)), nil
	})
	take := func() *risk.Assessment {
		t.Helper()
		i, err := keeper.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return i.Assessments[1]
	}
	last := take()
	cases := []struct {
		name   string
		change func()
		holds  bool
	}{
		{"nothing", func() {}, true},
		{"figures", func() { p.CPUSeconds, p.Threads, p.OpenFDs, p.ResidentBytes, p.State = 9, 9, 9, 9, process.Running }, true},
		{"revision", func() { p.Revision++ }, false},
		{"nothing after that", func() {}, true},
		{"start time: another process has the pid", func() { p.StartTicks++ }, false},
		{"boot", func() { p.Boot = "ffffffff" }, false},
		{"much memory", func() { p.ResidentBytes = memoryTotal }, false},
		{"more memory", func() { p.ResidentBytes++ }, true},
		{"little memory", func() { p.ResidentBytes = 0 }, false},
		{"end", func() { p.State = process.Zombie }, false},
		{"policy", func() { provider.set = policy.NewSet(policy.Linux) }, false},
		{"nothing in the end", func() {}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.change()
			now := take()
			if holds := now == last; holds != c.holds {
				t.Errorf("the assessment was kept: %v, want %v", holds, c.holds)
			}
			last = now
		})
	}
}

// TestForgets checks that the keeper does not grow with all the processes that
// there ever were.
func TestForgets(t *testing.T) {
	var now []process.Process
	keeper, _, _ := newKeeper(func(context.Context) (*process.Snapshot, error) { return snapshotOf(now...), nil })
	for round := range 50 {
		now = nil
		for pid := range 20 {
			now = append(now, tool(1+round*7+pid*3))
		}
		if _, err := keeper.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(keeper.judged) != len(now) {
			t.Fatalf("round %d: %d judgements of %d processes", round, len(keeper.judged), len(now))
		}
	}
	now = nil
	if _, err := keeper.Take(t.Context()); err != nil || len(keeper.judged) != 0 {
		t.Errorf("%d judgements of nobody, %v", len(keeper.judged), err)
	}
}

func TestProcess(t *testing.T) {
	i := &Inventory{Snapshot: snapshotOf(tool(1), tool(5), tool(4_194_303))}
	for pid, want := range map[int]int{1: 0, 5: 1, 4_194_303: 2} {
		if at, ok := i.Index(pid); !ok || at != want {
			t.Errorf("index of %d is %d, %v", pid, at, ok)
		}
		if p := i.Process(pid); p != &i.Processes[want] {
			t.Errorf("process %d is %v", pid, p)
		}
	}
	for _, pid := range []int{-1, 0, 2, 6, 4_194_304} {
		if p := i.Process(pid); p != nil {
			t.Errorf("there is a process %d: %v", pid, p)
		}
	}
	empty := &Inventory{Snapshot: snapshotOf()}
	if p := empty.Process(1); p != nil {
		t.Errorf("there is a process in nothing: %v", p)
	}
}

// TestOrder has a source break what is agreed on.
func TestOrder(t *testing.T) {
	first := tool(5)
	first.Comm = "first"
	keeper, _, _ := newKeeper(func(context.Context) (*process.Snapshot, error) {
		return snapshotOf(tool(9), first, tool(2), tool(5), tool(9)), nil
	})
	i, err := keeper.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for at := range i.Processes {
		pids = append(pids, i.Processes[at].PID)
	}
	if len(pids) != 3 || pids[0] != 2 || pids[1] != 5 || pids[2] != 9 || len(i.Assessments) != 3 {
		t.Errorf("pids %v with %d assessments", pids, len(i.Assessments))
	}
	if i.Process(5).Comm != "first" {
		t.Error("the later one of two processes with one pid was kept")
	}
}
