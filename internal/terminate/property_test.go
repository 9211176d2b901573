package terminate

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// Whatever processes, policy and audit do at whatever moment: nobody who is
// root is sent anything; no process is sent SIGTERM or SIGKILL more than once by
// one request; nothing is sent before its intent is audited; and SIGKILL comes
// only after a look that followed SIGTERM.
func TestProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	signals, kills, refused := 0, 0, 0
	for range 2000 {
		p := newFake(fakePID)
		w := &witness{t: t, process: p}
		arrange(random, p, w)
		terminator := New(Config{
			Policy: randomPolicy(random), Audit: w, Targets: newFakes(p), Host: testHostNow,
			Grace: 50 * time.Microsecond, KillWait: 50 * time.Microsecond, PolicyBudget: time.Millisecond,
		})
		w.random = random
		r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p), DryRun: random.IntN(10) == 0})
		if err := terminator.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.check(&r)
		signals += len(p.sent)
		kills += p.count(Kill)
		if r.Outcome == Refused {
			refused++
		}
	}
	t.Logf("2000 requests: %d signals, %d of them SIGKILL, %d refused", signals, kills, refused)
	if kills == 0 || refused == 0 {
		t.Error("nothing was killed, or nothing refused: the test says nothing")
	}
}

// witness sees what is audited, looked at and sent, in its order.
type witness struct {
	t              *testing.T
	process        *fake
	random         *rand.Rand
	intents, looks int
	looksAtTerm    int
}

// arrange makes a process that does one thing or another at a random moment.
func arrange(random *rand.Rand, p *fake, w *witness) {
	moment, deed := 1+random.IntN(5), random.IntN(9)
	p.onLook = func(p *fake, look int) {
		w.looks = look
		if look != moment {
			return
		}
		switch deed {
		case 0:
			p.facts.UIDs = []int{0, 0, 0, 0}
		case 1:
			p.facts.UIDs = []int{1000, 0, 1000, 1000}
		case 2:
			p.facts.File.Inode++
		case 3:
			p.facts.Place = Place{Top: systemSlice, UID: -1, Unit: "x.service"}
		case 4:
			p.factsErr = process.ErrGone
		case 5:
			p.exit()
		}
	}
	ends := [][]Signal{{Term, Kill}, {Continue, Kill}, {Kill}, {}}[random.IntN(4)]
	p.onSignal = func(p *fake, signal Signal) error {
		w.sees(signal)
		return endsOn(ends...)(p, signal)
	}
}

// sees judges a signal at the moment that it is sent; the lock of the process
// is held.
func (w *witness) sees(signal Signal) {
	if slices.Contains(w.process.facts.UIDs, 0) {
		w.t.Errorf("%s was sent to root", signal)
	}
	switch signal {
	case Term:
		w.looksAtTerm = w.looks
		if w.intents < 1 {
			w.t.Error("SIGTERM without an audited intent")
		}
	case Kill:
		if w.intents < 2 {
			w.t.Error("SIGKILL without an audited intent of its own")
		}
		if w.looks < w.looksAtTerm+2 {
			w.t.Errorf("SIGKILL after %d looks, SIGTERM after %d: it was not checked again", w.looks, w.looksAtTerm)
		}
	}
}

// Record fails now and then.
func (w *witness) Record(_ context.Context, e *Event) error {
	if w.random.IntN(12) == 0 {
		return errBroken
	}
	if e.Decision == Accepted {
		w.intents++
	}
	return nil
}

func (w *witness) check(r *Result) {
	if w.process.count(Term) > 1 || w.process.count(Kill) > 1 || w.process.count(Continue) > 1 {
		w.t.Errorf("sent %v", w.process.sent)
	}
	if r.DryRun && len(w.process.sent) > 0 {
		w.t.Errorf("a dry run sent %v", w.process.sent)
	}
	if r.Outcome == "" {
		w.t.Error("no outcome")
	}
}

func randomPolicy(random *rand.Rand) *fakePolicy {
	p := &fakePolicy{}
	for range 2 {
		switch random.IntN(6) {
		case 0:
			p.then(policy.NeverReached)
		case 1:
			p.then(policy.Fresh, protecting("vim.basic"))
		case 2:
			p.then(policy.Degraded)
		default:
			p.then(policy.Fresh)
		}
	}
	return p
}

// Many requests at once for one process and for many: each is sent one SIGTERM
// and at most one SIGKILL, and each request has one decision.
func TestConcurrentRequests(t *testing.T) {
	const requests = 1000
	for _, test := range []struct {
		name      string
		processes int
		ends      []Signal
	}{
		{"one process", 1, []Signal{Term}},
		{"one process that ignores SIGTERM", 1, []Signal{Kill}},
		{"a process each", requests, []Signal{Term}},
		{"a process each that ignore SIGTERM", requests, []Signal{Kill}},
		{"ten for each process", requests / 10, []Signal{Term}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []*fake
			for i := range test.processes {
				p := newFake(10000 + i)
				p.onSignal = endsOn(test.ends...)
				all = append(all, p)
			}
			terminator, audit := newTerminator(t, newFakes(all...), nil)
			results := make([]Result, requests)
			var group sync.WaitGroup
			for i := range requests {
				group.Go(func() {
					results[i] = terminator.Terminate(t.Context(), Request{Identity: identityOf(all[i%len(all)])})
				})
			}
			group.Wait()
			checkSent(t, all, results)
			checkDecisions(t, audit, results)
		})
	}
}

func checkSent(t *testing.T, all []*fake, results []Result) {
	t.Helper()
	ended := 0
	for i := range results {
		switch r := &results[i]; {
		case r.Outcome == Terminated || r.Outcome == Killed:
			ended++
		case r.Outcome == Refused && slices.Equal(Codes(r.Reasons), []Code{CodeInProgress}):
		case r.Outcome == Refused && slices.Equal(Codes(r.Reasons), []Code{GuardZombie}): // it came later
		default:
			t.Fatalf("a request: %s %v", r.Outcome, Codes(r.Reasons))
		}
	}
	if ended != len(all) {
		t.Errorf("%d requests ended one, want %d", ended, len(all))
	}
	for _, p := range all {
		if p.count(Term) != 1 || p.count(Kill) > 1 {
			t.Fatalf("pid %d was sent %v", p.facts.PID, p.sent)
		}
	}
}

// checkDecisions tells whether the audit has one decision for each request.
func checkDecisions(t *testing.T, audit *auditLog, results []Result) {
	t.Helper()
	decisions := make(map[string]int)
	for _, e := range audit.events {
		if e.Stage == StageDecision {
			decisions[e.ID]++
		}
	}
	for i := range results {
		if n := decisions[results[i].ID]; n != 1 {
			t.Fatalf("request %s has %d decisions", results[i].ID, n)
		}
	}
	if len(decisions) != len(results) {
		t.Errorf("%d decisions for %d requests", len(decisions), len(results))
	}
}
