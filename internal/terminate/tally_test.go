package terminate

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTally(t *testing.T) {
	refused := func(sent []string, reasons ...Reason) Result {
		return Result{Outcome: Refused, Sent: sent, Reasons: reasons}
	}
	for _, test := range []struct {
		what   string
		result Result
		want   string
	}{
		{"ended", Result{Outcome: Terminated, Sent: []string{"SIGTERM"}}, "terminated"},
		{"pending", Result{Outcome: KillPending, Sent: []string{"SIGTERM", "SIGKILL"}}, "kill_pending"},
		{"guard", refused(nil, guards[0].Reason), "refused"},
		{"policy is away", refused(nil, reasonPolicyUnavailable), "refused"},
		{"not permitted", refused(nil, reasonNotPermitted), "failed"},
		{"not examined", refused(nil, reasonFailed), "failed"},
		{"changed after SIGTERM", refused([]string{"SIGTERM"}, reasonChanged), "failed"},
		{"protected after SIGTERM", refused([]string{"SIGTERM"}, reasonPolicyDenied), "failed"},
	} {
		got := test.result.Tally()
		if got != test.want || !slices.Contains(Tallies(), got) {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}

// TestPendingIsToldTwice, and the second time as what it is: an account that is
// kept of requests must not count one twice.
func TestPendingIsToldTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFake(fakePID)
		p.onSignal = endsOn()
		var told []Result
		terminator, _ := newTerminator(t, newFakes(p), func(c *Config) { c.Done = func(r *Result) { told = append(told, *r) } })
		r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
		if r.Outcome != KillPending || r.Late {
			t.Fatalf("%+v", r)
		}
		time.Sleep(time.Second)
		p.mu.Lock()
		p.exit()
		p.mu.Unlock()
		synctest.Wait()
		if len(told) != 2 || told[0].Late || told[0].Outcome != KillPending || !told[1].Late || told[1].Outcome != Killed || told[1].HardSeconds < 1 {
			t.Errorf("told %+v", told)
		}
	})
}
