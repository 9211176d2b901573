package terminate

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// fakes are processes that exist only here, for what no real process does at
// the right moment.
type fakes struct {
	mu   sync.Mutex
	all  map[int]*fake
	open map[int]int // how many holds on a pid are not closed
}

// fake is one of them.
type fake struct {
	mu       sync.Mutex
	facts    Facts
	sent     []Signal
	looks    int // how often its facts were read
	children []Child
	openErr  error
	factsErr error
	// onLook is called with each reading of the facts, counted from 1, on each
	// signal onSignal; they may change the fake.
	onLook   func(f *fake, look int)
	onSignal func(f *fake, signal Signal) error
	over     chan struct{}
}

func newFakes(all ...*fake) *fakes {
	f := &fakes{all: make(map[int]*fake), open: make(map[int]int)}
	for _, p := range all {
		f.all[p.facts.PID] = p
	}
	return f
}

// newFake is a process that may be ended and obeys SIGTERM.
func newFake(pid int) *fake {
	p := &fake{facts: *editor(), over: make(chan struct{})}
	p.facts.PID = pid
	p.facts.File = process.File{Device: 1, Inode: 2, Trusted: true}
	p.onSignal = endsOn(Term, Kill)
	return p
}

// endsOn makes a process that ends on some signals and ignores all others.
func endsOn(signals ...Signal) func(f *fake, signal Signal) error {
	return func(f *fake, signal Signal) error {
		if slices.Contains(signals, signal) {
			f.exit()
		}
		return nil
	}
}

// exit ends the process; its lock is held.
func (p *fake) exit() {
	if !p.facts.Ended {
		p.facts.Ended, p.facts.State = true, process.Zombie
		close(p.over)
	}
}

func (f *fakes) Open(pid int) (Target, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.all[pid]
	if p == nil {
		return nil, process.ErrGone
	}
	if p.openErr != nil {
		return nil, p.openErr
	}
	f.open[pid]++
	return &fakeTarget{p, f, p.facts.Identity}, nil
}

func (f *fakes) Alive(identity process.Identity) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.all[identity.PID]
	return p != nil && p.facts.Identity == identity && !p.facts.Ended
}

// held tells how many holds were not let go.
func (f *fakes) held() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, holds := range f.open {
		n += holds
	}
	return n
}

type fakeTarget struct {
	*fake
	all      *fakes
	identity process.Identity
}

func (t *fakeTarget) Identity() process.Identity { return t.identity }
func (t *fakeTarget) Children() []Child          { return t.children }

func (t *fakeTarget) Close() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	t.all.open[t.identity.PID]--
}

func (t *fakeTarget) Facts() (*Facts, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looks++
	if t.onLook != nil {
		t.onLook(t.fake, t.looks)
	}
	if t.factsErr != nil {
		return nil, t.factsErr
	}
	facts := t.facts
	return &facts, nil
}

func (t *fakeTarget) Signal(signal Signal) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = append(t.sent, signal)
	if t.onSignal == nil {
		return nil
	}
	return t.onSignal(t.fake, signal)
}

func (t *fakeTarget) Wait(ctx context.Context) error {
	select {
	case <-t.over:
		return nil
	default:
	}
	select {
	case <-t.over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// count tells how often a signal was sent.
func (p *fake) count(signal Signal) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, sent := range p.sent {
		if sent == signal {
			n++
		}
	}
	return n
}

// fakePolicy answers one state after the other, the last for ever.
type fakePolicy struct {
	mu      sync.Mutex
	answers []policyAnswer
	asked   int
	onAsk   func(asked int) // counted from 1
}

type policyAnswer struct {
	set   *policy.Set
	state policy.State
}

// fresh is policy of some documents, read just now.
func fresh(documents ...policy.Document) *fakePolicy {
	return answering(policy.Fresh, documents...)
}

func answering(state policy.State, documents ...policy.Document) *fakePolicy {
	return &fakePolicy{answers: []policyAnswer{{policy.NewSet(policy.Linux, documents...), state}}}
}

// then is the next answer.
func (p *fakePolicy) then(state policy.State, documents ...policy.Document) *fakePolicy {
	p.answers = append(p.answers, policyAnswer{policy.NewSet(policy.Linux, documents...), state})
	return p
}

func (p *fakePolicy) Consult(context.Context, policy.Subject) policy.Consultation {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := p.answers[min(p.asked, len(p.answers)-1)]
	p.asked++
	if p.onAsk != nil {
		p.onAsk(p.asked)
	}
	return policy.Consultation{Set: answer.set, State: answer.state}
}

// protecting is a document that protects a name, allowing one that lets
// automation end it.
func protecting(name string) policy.Document {
	return policy.Document{Name: name, Platform: policy.Linux, Category: "editor", Description: name,
		Policy: policy.Policy{Terminatable: false, Reason: "kept"}}
}

func allowing(name string) policy.Document {
	return policy.Document{Name: name, Platform: policy.Linux, Category: "editor", Description: name,
		Policy: policy.Policy{Terminatable: true}, AutoTerminate: true}
}

// auditLog keeps events, and fails where it is told to.
type auditLog struct {
	mu     sync.Mutex
	events []Event
	fail   func(e *Event) error
}

func (a *auditLog) Record(_ context.Context, e *Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		if err := a.fail(e); err != nil {
			return err
		}
	}
	a.events = append(a.events, *e)
	return nil
}

// stages are what was audited, as "decision/accepted" and "outcome/killed".
func (a *auditLog) stages() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var stages []string
	for _, e := range a.events {
		stage := string(e.Stage) + "/" + string(e.Decision)
		if e.Stage == StageOutcome {
			stage = string(e.Stage) + "/" + string(e.Outcome)
		}
		stages = append(stages, stage)
	}
	return stages
}

// newTerminator makes a terminator of fakes that is quick.
func newTerminator(t *testing.T, processes *fakes, edit func(c *Config)) (*Terminator, *auditLog) {
	t.Helper()
	audit := &auditLog{}
	config := Config{
		Policy: fresh(), Audit: audit, Targets: processes, Host: testHostNow,
		Grace: 30 * time.Millisecond, KillWait: 20 * time.Millisecond, PolicyBudget: 10 * time.Millisecond,
	}
	if edit != nil {
		edit(&config)
	}
	terminator := New(config)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := terminator.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if held := processes.held(); held != 0 {
			t.Errorf("%d holds were not let go", held)
		}
	})
	return terminator, audit
}

// testHostNow is the host of the fakes.
func testHostNow() *Host {
	h := testHost()
	h.Boot = "0123abcd"
	return h
}

// identityOf is what a list hands out for a fake.
func identityOf(p *fake) string { return p.facts.Identity.String() }

var errDenied = &fs.PathError{Op: "signal", Err: fs.ErrPermission}

var errBroken = errors.New("broken")
