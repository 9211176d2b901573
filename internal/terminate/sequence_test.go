package terminate

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

const fakePID = 1234

// sequenceTests are the ways that a sequence can go.
var sequenceTests = []struct {
	name    string
	process func(p *fake)
	request func(r *Request)
	config  func(c *Config)
	want    Outcome
	codes   []Code
	sent    []Signal
	audit   []string
}{
	{
		name: "obeys", want: Terminated, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "outcome/terminated"},
	},
	{
		name:    "ignores SIGTERM",
		process: func(p *fake) { p.onSignal = endsOn(Kill) },
		want:    Killed, sent: []Signal{Term, Continue, Kill},
		audit: []string{"decision/accepted", "escalation/accepted", "outcome/killed"},
	},
	{
		name:    "stopped sees SIGTERM once it goes on",
		process: func(p *fake) { p.facts.State, p.onSignal = process.Stopped, endsOn(Continue) },
		want:    Terminated, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "outcome/terminated"},
	},
	{
		name:    "dry run",
		request: func(r *Request) { r.DryRun = true },
		want:    WouldTerminate, audit: []string{"decision/dry_run"},
	},
	{
		name:    "by its trusted name",
		request: func(r *Request) { r.Identity, r.PID, r.Name = "", fakePID, "vim.basic" },
		want:    Terminated, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "outcome/terminated"},
	},
	{
		name:    "by another name",
		request: func(r *Request) { r.Identity, r.PID, r.Name = "", fakePID, "vim" },
		want:    Refused, codes: []Code{CodeNameMismatch}, audit: []string{"decision/refused"},
	},
	{
		name:    "by a name that is not trusted",
		process: func(p *fake) { p.facts.File.Trusted = false },
		request: func(r *Request) { r.Identity, r.PID, r.Name = "", fakePID, "vim.basic" },
		want:    Refused, codes: []Code{CodeNameMismatch}, audit: []string{"decision/refused"},
	},
	{
		name:    "by pid alone",
		request: func(r *Request) { r.Identity, r.PID = "", fakePID },
		want:    Refused, codes: []Code{CodeIdentityMissing}, audit: []string{"decision/refused"},
	},
	{
		name:    "pid and identity disagree",
		request: func(r *Request) { r.PID = fakePID + 1 },
		want:    Refused, codes: []Code{CodeIdentityMismatch}, audit: []string{"decision/refused"},
	},
	{
		name:    "an identity that is none",
		request: func(r *Request) { r.Identity = "1234" },
		want:    Refused, codes: []Code{CodeIdentityMalformed}, audit: []string{"decision/refused"},
	},
	{
		name:    "the pid is used again",
		request: func(r *Request) { r.Identity = "1234-98-0123abcd" },
		want:    Refused, codes: []Code{CodeIdentityMismatch}, audit: []string{"decision/refused"},
	},
	{
		name:    "gone before",
		request: func(r *Request) { r.Identity = "77-99-0123abcd" },
		want:    AlreadyExited, audit: []string{"decision/already_exited"},
	},
	{
		name:    "of another boot",
		request: func(r *Request) { r.Identity = "77-99-ffffffff" },
		want:    Refused, codes: []Code{CodeIdentityMismatch}, audit: []string{"decision/refused"},
	},
	{
		name:    "a name of nobody",
		request: func(r *Request) { r.Identity, r.PID, r.Name = "", 77, "vim.basic" },
		want:    Refused, codes: []Code{CodeNotFound}, audit: []string{"decision/refused"},
	},
	{
		name:    "a thread",
		process: func(p *fake) { p.openErr = fmt.Errorf("open: %w", process.ErrNotLeader) },
		want:    Refused, codes: []Code{CodeNotLeader}, audit: []string{"decision/refused"},
	},
	{
		name:    "no pidfd",
		process: func(p *fake) { p.openErr = process.ErrNoPidfd },
		want:    Refused, codes: []Code{CodeNoPidfd}, audit: []string{"decision/refused"},
	},
	{
		name:    "procfs of another namespace",
		process: func(p *fake) { p.openErr = process.ErrForeignProc },
		want:    Refused, codes: []Code{CodeForeignProc}, audit: []string{"decision/refused"},
	},
	{
		name:    "descriptors run out",
		process: func(p *fake) { p.openErr = errBroken },
		want:    Refused, codes: []Code{CodeFailed}, audit: []string{"decision/refused"},
	},
	{
		name:    "never stands still",
		process: func(p *fake) { p.factsErr = process.ErrUnsteady },
		want:    Refused, codes: []Code{CodeChanged}, audit: []string{"decision/refused"},
	},
	{
		name:    "zombie",
		process: func(p *fake) { p.exit() },
		want:    Refused, codes: []Code{GuardZombie}, audit: []string{"decision/refused"},
	},
	{
		name:    "guards, all of them",
		process: func(p *fake) { p.facts.UIDs, p.facts.Session = []int{0, 0, 0, 0}, fakePID },
		want:    Refused, codes: []Code{GuardUID0, GuardSessionLeader, GuardOthersSession}, audit: []string{"decision/refused"},
	},
	{
		name:   "forbidden by policy",
		config: func(c *Config) { c.Policy = fresh(protecting("vim.basic")) },
		want:   Refused, codes: []Code{CodePolicyDenied}, audit: []string{"decision/refused"},
	},
	{
		name:   "forbidden by the name that it gives itself",
		config: func(c *Config) { c.Policy = fresh(protecting("vim")) },
		want:   Refused, codes: []Code{CodePolicyDenied}, audit: []string{"decision/refused"},
	},
	{
		name:   "audit cannot be written",
		config: func(c *Config) { c.Audit = &auditLog{fail: func(*Event) error { return errBroken }} },
		want:   Refused, codes: []Code{CodeAuditUnavailable},
	},
	{
		name:    "not permitted",
		process: func(p *fake) { p.onSignal = func(*fake, Signal) error { return errDenied } },
		want:    Refused, codes: []Code{CodeNotPermitted}, sent: []Signal{Term},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name: "set-uid between the checks",
		process: func(p *fake) {
			p.onLook = atLook(2, func(p *fake) { p.facts.UIDs = []int{1000, 0, 0, 0} })
		},
		want: Refused, codes: []Code{GuardUID0, GuardOthersSession},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name: "another program between the checks",
		process: func(p *fake) {
			p.onLook = atLook(2, func(p *fake) { p.facts.File.Inode++ })
		},
		want: Refused, codes: []Code{CodeChanged},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name: "another place between the checks",
		process: func(p *fake) {
			p.onLook = atLook(2, func(p *fake) { p.facts.Place.Unit = "session-4.scope" })
		},
		want: Refused, codes: []Code{CodeChanged},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name: "ends between the checks",
		process: func(p *fake) {
			p.onLook = atLook(2, (*fake).exit)
		},
		want:  AlreadyExited,
		audit: []string{"decision/accepted", "outcome/already_exited"},
	},
	{
		name: "is reaped between the checks",
		process: func(p *fake) {
			p.onLook = atLook(2, func(p *fake) { p.factsErr = process.ErrGone })
		},
		want:  AlreadyExited,
		audit: []string{"decision/accepted", "outcome/already_exited"},
	},
	{
		name:    "is reaped before SIGTERM",
		process: func(p *fake) { p.onSignal = func(*fake, Signal) error { return process.ErrGone } },
		want:    AlreadyExited, sent: []Signal{Term},
		audit: []string{"decision/accepted", "outcome/already_exited"},
	},
	{
		name: "becomes root in the grace period",
		process: func(p *fake) {
			p.onSignal = endsOn(Kill)
			p.onLook = atLook(3, func(p *fake) { p.facts.UIDs = []int{0, 0, 0, 0} })
		},
		want: Refused, codes: []Code{GuardUID0, GuardOthersSession}, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name: "runs another program after SIGTERM",
		process: func(p *fake) {
			p.onSignal = endsOn(Kill)
			p.onLook = atLook(3, func(p *fake) { p.facts.File.Inode++ })
		},
		want: Refused, codes: []Code{CodeChanged}, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name: "changes after the intent of SIGKILL",
		process: func(p *fake) {
			p.onSignal = endsOn(Kill)
			p.onLook = atLook(4, func(p *fake) { p.facts.UIDs = []int{1000, 1001, 1000, 1001} })
		},
		want: Refused, codes: []Code{GuardOthersSession}, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "escalation/accepted", "outcome/refused"},
	},
	{
		name: "ends while it is checked again",
		process: func(p *fake) {
			p.onSignal = nil
			p.onLook = atLook(3, (*fake).exit)
		},
		want: Terminated, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "outcome/terminated"},
	},
	{
		name: "becomes another person where no cgroup tells whose session it is",
		process: func(p *fake) {
			p.onLook = atLook(2, func(p *fake) { p.facts.UIDs = []int{1001, 1001, 1001, 1001} })
		},
		config: func(c *Config) { c.Host = plainHost },
		want:   Refused, codes: []Code{CodeChanged},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name:    "policy goes away between the checks",
		process: func(p *fake) { p.onSignal = endsOn(Kill) },
		config:  func(c *Config) { c.Policy = fresh().then(policy.NeverReached) },
		want:    Refused, codes: []Code{CodePolicyUnavailable}, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name:    "policy changes its mind between the checks",
		process: func(p *fake) { p.onSignal = endsOn(Kill) },
		config:  func(c *Config) { c.Policy = fresh().then(policy.Fresh, protecting("vim.basic")) },
		want:    Refused, codes: []Code{CodePolicyDenied}, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name:    "audit fails between the checks",
		process: func(p *fake) { p.onSignal = endsOn(Kill) },
		config: func(c *Config) {
			c.Audit.(*auditLog).fail = func(e *Event) error {
				if e.Stage == StageEscalation {
					return errBroken
				}
				return nil
			}
		},
		want: Refused, codes: []Code{CodeAuditUnavailable}, sent: []Signal{Term, Continue},
		audit: []string{"decision/accepted", "outcome/refused"},
	},
	{
		name:    "cannot be ended",
		process: func(p *fake) { p.onSignal = nil },
		want:    KillPending, sent: []Signal{Term, Continue, Kill},
		audit: []string{"decision/accepted", "escalation/accepted", "outcome/kill_pending"},
	},
}

// atLook changes a process when its facts are read for the nth time; the target
// reads them from the first look on.
func atLook(n int, change func(p *fake)) func(p *fake, look int) {
	return func(p *fake, look int) {
		if look == n {
			change(p)
		}
	}
}

func TestSequence(t *testing.T) {
	for _, test := range sequenceTests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newFake(fakePID)
				if test.process != nil {
					test.process(p)
				}
				terminator, audit := newTerminator(t, newFakes(p), test.config)
				request := Request{Identity: identityOf(p), Actor: Actor{Name: "kim", Role: "operator"}}
				if test.request != nil {
					test.request(&request)
				}
				result := terminator.Terminate(t.Context(), request)
				if result.Outcome != test.want {
					t.Errorf("outcome %s, want %s", result.Outcome, test.want)
				}
				if codes := Codes(result.Reasons); !slices.Equal(codes, test.codes) {
					t.Errorf("codes %v, want %v", codes, test.codes)
				}
				if !slices.Equal(p.sent, test.sent) {
					t.Errorf("sent %v, want %v", p.sent, test.sent)
				}
				if stages := audit.stages(); !slices.Equal(stages, test.audit) {
					t.Errorf("audited %v, want %v", stages, test.audit)
				}
				checkKept(t, terminator, &result)
			})
		})
	}
}

// checkKept tells whether a result can be asked for later.
func checkKept(t *testing.T, terminator *Terminator, result *Result) {
	t.Helper()
	kept, ok := terminator.Find(result.ID)
	if !ok || kept.Outcome != result.Outcome || kept.Done != result.Done {
		t.Errorf("kept as %+v, want %+v", kept, result)
	}
	if result.Done == (result.Outcome == KillPending) {
		t.Errorf("done is %v with the outcome %s", result.Done, result.Outcome)
	}
}

// TestDurations runs on the clock of synctest, which moves only when all wait.
func TestDurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		obeys, ignores, stays := newFake(1001), newFake(1002), newFake(1003)
		obeys.onSignal = func(p *fake, signal Signal) error {
			if signal == Term {
				time.AfterFunc(3*time.Second, func() {
					p.mu.Lock()
					defer p.mu.Unlock()
					p.exit()
				})
			}
			return nil
		}
		ignores.onSignal = endsOn(Kill)
		stays.onSignal = nil
		terminator, _ := newTerminator(t, newFakes(obeys, ignores, stays), func(c *Config) { c.Grace, c.KillWait = 0, 0 })
		for _, test := range []struct {
			process           *fake
			outcome           Outcome
			method            Method
			soft, hard, total float64
		}{
			{obeys, Terminated, Soft, 3, 0, 3},
			{ignores, Killed, Hard, 5, 0, 5},
			{stays, KillPending, Hard, 5, 2, 7},
		} {
			r := terminator.Terminate(t.Context(), Request{Identity: identityOf(test.process)})
			if r.Outcome != test.outcome || r.Method != test.method || r.SoftSeconds != test.soft || r.HardSeconds != test.hard || r.TotalSeconds != test.total {
				t.Errorf("%s %s after %v, %v and %v seconds, want %+v", r.Outcome, r.Method, r.SoftSeconds, r.HardSeconds, r.TotalSeconds, test)
			}
		}
	})
}

// A process that stays after SIGKILL is waited for, and sent nothing more.
func TestPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFake(fakePID)
		p.onSignal = nil
		var done []Outcome
		terminator, audit := newTerminator(t, newFakes(p), func(c *Config) {
			c.Done = func(r *Result) { done = append(done, r.Outcome) }
		})
		first := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
		second := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
		if first.Outcome != KillPending || !slices.Equal(Codes(second.Reasons), []Code{CodeInProgress}) || second.Reasons[0].Detail != first.ID {
			t.Errorf("outcomes %s and %s %v", first.Outcome, second.Outcome, Codes(second.Reasons))
		}
		time.Sleep(time.Hour)
		p.mu.Lock()
		p.exit()
		p.mu.Unlock()
		synctest.Wait()
		last, _ := terminator.Find(first.ID)
		if last.Outcome != Killed || !last.Done || last.HardSeconds < 3600 {
			t.Errorf("in the end %+v", last)
		}
		if p.count(Term) != 1 || p.count(Kill) != 1 {
			t.Errorf("sent %v", p.sent)
		}
		if want := []Outcome{KillPending, Refused, Killed}; !slices.Equal(done, want) {
			t.Errorf("told %v, want %v", done, want)
		}
		stages := audit.stages()
		if stages[len(stages)-1] != "outcome/killed" {
			t.Errorf("audited %v", stages)
		}
	})
}

func TestChildren(t *testing.T) {
	p, orphan := newFake(fakePID), newFake(2000)
	gone := newChild(process.Identity{PID: 3000, StartTicks: 1, Boot: "0123abcd"}, "gone")
	p.children = []Child{newChild(orphan.facts.Identity, "sleep\n"), gone}
	p.onSignal = endsOn(Kill) // so that they are listed twice
	terminator, _ := newTerminator(t, newFakes(p, orphan), nil)
	result := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
	if len(result.Children) != 1 || result.Children[0].PID != 2000 || result.Children[0].Name != `sleep\n` {
		t.Errorf("children %+v", result.Children)
	}
	if len(orphan.sent) != 0 {
		t.Errorf("a child was sent %v", orphan.sent)
	}
}

// The client may go away: before the intent nothing is sent, after it all is
// seen through.
func TestCancelled(t *testing.T) {
	p := newFake(fakePID)
	terminator, audit := newTerminator(t, newFakes(p), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result := terminator.Terminate(ctx, Request{Identity: identityOf(p)})
	if !slices.Equal(Codes(result.Reasons), []Code{CodeCancelled}) || len(p.sent) != 0 {
		t.Errorf("before the intent: %v, sent %v", Codes(result.Reasons), p.sent)
	}
	ctx, cancel = context.WithCancel(t.Context())
	audit.fail = func(e *Event) error {
		if e.Decision == Accepted {
			cancel()
		}
		return nil
	}
	if result = terminator.Terminate(ctx, Request{Identity: identityOf(p)}); result.Outcome != Terminated {
		t.Errorf("after the intent: %s %v", result.Outcome, Codes(result.Reasons))
	}
}

func TestInspect(t *testing.T) {
	p := newFake(fakePID)
	p.facts.UIDs = []int{0, 0, 0, 0}
	terminator, audit := newTerminator(t, newFakes(p, newFake(2000)), func(c *Config) {
		c.Policy = fresh(protecting("vim.basic")).then(policy.Fresh)
	})
	result := terminator.Inspect(t.Context(), Request{PID: fakePID})
	if want := []Code{GuardUID0, GuardOthersSession, CodePolicyDenied}; !slices.Equal(Codes(result.Reasons), want) {
		t.Errorf("reasons %v, want %v", Codes(result.Reasons), want)
	}
	if result.Subject.Identity != identityOf(p) {
		t.Errorf("identity %q", result.Subject.Identity)
	}
	if result = terminator.Inspect(t.Context(), Request{PID: 2000}); result.Outcome != WouldTerminate || len(result.Reasons) != 0 {
		t.Errorf("one that may be ended: %s %v", result.Outcome, Codes(result.Reasons))
	}
	if result = terminator.Inspect(t.Context(), Request{PID: 4000}); !slices.Equal(Codes(result.Reasons), []Code{CodeNotFound}) {
		t.Errorf("nobody: %v", Codes(result.Reasons))
	}
	if len(audit.events) != 0 || len(p.sent) != 0 {
		t.Errorf("audited %d events, sent %v", len(audit.events), p.sent)
	}
}

// A process that ends just when SIGKILL is refused has obeyed.
func TestEndsWhileRefused(t *testing.T) {
	p := newFake(fakePID)
	p.onSignal = nil
	answers := fresh().then(policy.NeverReached)
	answers.onAsk = func(asked int) {
		if asked == 2 {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.exit()
		}
	}
	terminator, audit := newTerminator(t, newFakes(p), func(c *Config) { c.Policy = answers })
	r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
	if r.Outcome != Terminated || len(r.Reasons) != 0 || !slices.Equal(audit.stages(), []string{"decision/accepted", "outcome/terminated"}) {
		t.Errorf("%s %v, audited %v", r.Outcome, Codes(r.Reasons), audit.stages())
	}
}

// slowPolicy answers when it is told to stop waiting for the database.
type slowPolicy struct{ *fakePolicy }

func (p *slowPolicy) Consult(ctx context.Context, s policy.Subject) policy.Consultation {
	<-ctx.Done()
	return p.fakePolicy.Consult(ctx, s)
}

// A database that does not answer costs its budget at each check, no more.
func TestSlowPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFake(fakePID)
		p.onSignal = endsOn(Kill)
		terminator, _ := newTerminator(t, newFakes(p), func(c *Config) {
			c.Policy = &slowPolicy{answering(policy.Degraded)}
			c.Grace, c.PolicyBudget = 0, 0
		})
		r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
		if r.Outcome != Killed || !r.Policy.Degraded || r.TotalSeconds != 6 {
			t.Errorf("%s %v after %v seconds", r.Outcome, Codes(r.Reasons), r.TotalSeconds)
		}
	})
}
