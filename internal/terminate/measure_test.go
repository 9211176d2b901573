package terminate

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"server-monitor/internal/policy"
)

// TestMeasuredAgain: a rule that asks for the memory of a process protects it from
// SIGKILL where that has come to hold in the grace period.
func TestMeasuredAgain(t *testing.T) {
	large := func(_ context.Context, r *Request) error { r.MemoryRatio = 0.9; return nil }
	for _, test := range []struct {
		name    string
		measure func(ctx context.Context, r *Request) error
		want    Outcome
		codes   []Code
		kills   int
	}{
		{"as it was", func(context.Context, *Request) error { return nil }, Killed, nil, 1},
		{"protected now", large, Refused, []Code{CodePolicyDenied}, 0},
		{"not measured", func(context.Context, *Request) error { return errBroken }, Refused, []Code{CodeFailed}, 0},
		{"takes too long", func(ctx context.Context, _ *Request) error { <-ctx.Done(); return ctx.Err() }, Refused, []Code{CodeFailed}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newFake(fakePID)
				p.onSignal = endsOn(Kill)
				rule := policy.Rule{ID: "r", Enabled: true, Effect: policy.Protect, Match: policy.Match{MinMemoryRatio: 0.5}, Reason: "large"}
				terminator, audit := newTerminator(t, newFakes(p), func(c *Config) {
					c.Policy = &fakePolicy{answers: []policyAnswer{{policy.Build(policy.Linux, policy.Contents{Rules: []policy.Rule{rule}}), policy.Fresh}}}
				})
				began := time.Now()
				r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p), MemoryRatio: 0.1, Measure: test.measure})
				if r.Outcome != test.want || !slices.Equal(Codes(r.Reasons), test.codes) || p.count(Term) != 1 || p.count(Kill) != test.kills {
					t.Errorf("%s %v, sent %v", r.Outcome, Codes(r.Reasons), r.Sent)
				}
				if took := time.Since(began); took > measureBudget+time.Second {
					t.Errorf("took %v", took)
				}
				if last := audit.stages()[len(audit.stages())-1]; last != "outcome/"+string(test.want) {
					t.Errorf("audited %v", audit.stages())
				}
			})
		})
	}
}

// TestMeasureWhileStopping leaves the time that SIGKILL needs.
func TestMeasureWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFake(fakePID)
		p.onSignal = endsOn(Kill)
		terminator, _ := newTerminator(t, newFakes(p), func(c *Config) { c.Grace, c.KillWait, c.PolicyBudget = 0, 0, 0 })
		results := make(chan Result, 1)
		go func() {
			results <- terminator.Terminate(context.Background(), Request{
				Identity: identityOf(p),
				Measure:  func(ctx context.Context, _ *Request) error { <-ctx.Done(); return ctx.Err() },
			})
		}()
		time.Sleep(time.Millisecond)
		began := time.Now()
		if err := terminator.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > DefaultStopLimit {
			t.Errorf("Stop took %v", took)
		}
		if r := <-results; r.Outcome != Refused || p.count(Kill) != 0 {
			t.Errorf("%+v", r)
		}
	})
}
