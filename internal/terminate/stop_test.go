package terminate

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestStop stops server-monitor in the middle of sequences. All of it runs on
// the clock of synctest.
func TestStop(t *testing.T) {
	for _, test := range []struct {
		name     string
		grace    time.Duration
		stopAt   time.Duration
		ends     []Signal
		want     Outcome
		codes    []Code
		atMost   time.Duration // from Stop to its return
		sentKill int
	}{
		{"the grace period fits", 5 * time.Second, time.Millisecond, []Signal{Kill}, Killed, nil, 8 * time.Second, 1},
		{"late in the grace period", 5 * time.Second, 4 * time.Second, []Signal{Kill}, Killed, nil, 2 * time.Second, 1},
		{"SIGKILL does not help", 5 * time.Second, time.Millisecond, nil, KillPending, nil, 8 * time.Second, 1},
		{"a long grace period is cut, and SIGKILL not sent before its time", time.Minute, time.Second, []Signal{Kill},
			Refused, []Code{CodeStopping}, 8 * time.Second, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newFake(fakePID)
				p.onSignal = endsOn(test.ends...)
				terminator, audit := newTerminator(t, newFakes(p), func(c *Config) {
					c.Grace, c.KillWait, c.PolicyBudget = test.grace, 0, 0
				})
				results := make(chan Result, 1)
				go func() {
					results <- terminator.Terminate(context.Background(), Request{Identity: identityOf(p)})
				}()
				time.Sleep(test.stopAt)
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), DefaultStopLimit)
				defer cancel()
				if err := terminator.Stop(ctx); err != nil {
					t.Errorf("Stop: %v", err)
				}
				if took := time.Since(began); took > test.atMost {
					t.Errorf("Stop took %v, want at most %v", took, test.atMost)
				}
				r := <-results
				if r.Outcome != test.want || !slices.Equal(Codes(r.Reasons), test.codes) {
					t.Errorf("%s %v, want %s %v", r.Outcome, Codes(r.Reasons), test.want, test.codes)
				}
				if p.count(Kill) != test.sentKill {
					t.Errorf("sent %v", p.sent)
				}
				stages := audit.stages()
				if last := stages[len(stages)-1]; last != "outcome/"+string(test.want) {
					t.Errorf("audited %v", stages)
				}
			})
		})
	}
}

// Once server-monitor stops, it takes nothing in.
func TestStopped(t *testing.T) {
	p := newFake(fakePID)
	terminator, audit := newTerminator(t, newFakes(p), nil)
	if err := terminator.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
	if !slices.Equal(Codes(r.Reasons), []Code{CodeStopping}) || len(p.sent) != 0 {
		t.Errorf("%s %v, sent %v", r.Outcome, Codes(r.Reasons), p.sent)
	}
	if !slices.Equal(audit.stages(), []string{"decision/refused"}) {
		t.Errorf("audited %v", audit.stages())
	}
}

// Stop says so where it cannot wait until all is over.
func TestStopIsImpatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFake(fakePID)
		p.onSignal = endsOn(Kill)
		terminator, _ := newTerminator(t, newFakes(p), func(c *Config) { c.Grace = 5 * time.Second })
		go terminator.Terminate(context.Background(), Request{Identity: identityOf(p)})
		time.Sleep(time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := terminator.Stop(ctx); err == nil {
			t.Error("Stop returns without an error while a sequence runs")
		}
	})
}
