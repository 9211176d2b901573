package terminate

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// Config says how processes are ended. What is zero has a default.
type Config struct {
	// Process is where processes are read.
	Process process.Config
	// Policy and Audit are needed.
	Policy policy.Consultant
	Audit  Auditor
	Logger *slog.Logger
	// PolicyRequired refuses in every state of policy but a fresh reading.
	PolicyRequired bool
	// Grace is how long a process has to obey SIGTERM, KillWait how long is
	// waited for the end after SIGKILL, PolicyBudget how long policy may take.
	Grace, KillWait, PolicyBudget time.Duration
	// StopLimit is how long sequences may go on once server-monitor stops.
	StopLimit time.Duration
	// Done is told every result when it is final, and once more when a process
	// that was pending has ended.
	Done func(*Result)

	// Targets and Host are those of this machine.
	Targets Targets
	Host    func() *Host
}

// The defaults of [Config].
const (
	DefaultGrace        = 5 * time.Second
	DefaultKillWait     = 2 * time.Second
	DefaultPolicyBudget = 500 * time.Millisecond
	DefaultStopLimit    = 8 * time.Second
)

// Terminator ends processes. It is safe for concurrent use.
type Terminator struct {
	config  Config
	claims  claims
	history history

	mu       sync.Mutex
	stopped  time.Time // when Stop began
	running  sync.WaitGroup
	stopping context.Context // ends when Stop begins
	stop     context.CancelFunc

	watchers sync.WaitGroup
	life     context.Context // ends when Stop ends
	end      context.CancelFunc
}

// New makes a terminator.
func New(config Config) *Terminator {
	for _, d := range [...]struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&config.Grace, DefaultGrace}, {&config.KillWait, DefaultKillWait},
		{&config.PolicyBudget, DefaultPolicyBudget}, {&config.StopLimit, DefaultStopLimit},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if config.Targets == nil {
		config.Targets = newTargets(config.Process)
	}
	if config.Host == nil {
		config.Host = func() *Host { return ReadHost(config.Process) }
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Done == nil {
		config.Done = func(*Result) {}
	}
	t := &Terminator{config: config}
	t.stopping, t.stop = context.WithCancel(context.Background())
	t.life, t.end = context.WithCancel(context.Background())
	return t
}

// Obstacle is why nothing can be ended on this machine at all, nil where it
// can: for saying so at the start.
func (t *Terminator) Obstacle() *Reason { return t.config.Host().Obstacle }

// Find gives a request that was made: one that runs as far as it is.
func (t *Terminator) Find(id string) (Result, bool) { return t.history.get(id) }

// Terminate ends a process, and returns when that is over. The end of ctx is
// heeded until the intent is audited, and not any more after that.
func (t *Terminator) Terminate(ctx context.Context, request Request) Result {
	r := t.begin(request)
	if !t.enter() {
		r.refuse(reasonStopping)
		r.decide()
		return r.finish()
	}
	defer t.running.Done()
	r.do(ctx)
	return r.finish()
}

// Inspect says whether a process may be ended, and all that stands against it:
// guards and policy as they are now. It changes nothing and is not audited.
func (t *Terminator) Inspect(ctx context.Context, request Request) Result {
	request.DryRun = true
	r := t.newRun(request)
	r.inspects = true
	defer r.letGo()
	if r.open() && r.see() {
		reasons := Check(r.seen, r.host)
		if other, busy := t.claims.of(r.seen.Identity); busy {
			reasons = append(reasons, reasonInProgress.with(other))
		}
		reasons = append(reasons, r.consult(ctx)...)
		r.result.Outcome = WouldTerminate
		if len(reasons) > 0 {
			r.refuse(reasons...)
		}
	}
	r.result.Done = true
	r.result.TotalSeconds = time.Since(r.result.Started).Seconds()
	return r.result
}

// Stop turns new requests away, lets those that run come to their ends, and
// returns when they have, or with an error when ctx ends first.
func (t *Terminator) Stop(ctx context.Context) error {
	t.mu.Lock()
	t.stopped = time.Now()
	t.mu.Unlock()
	t.stop()
	over := make(chan struct{})
	go func() {
		t.running.Wait()
		t.end()
		t.watchers.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// enter counts a request as running, unless server-monitor stops.
func (t *Terminator) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stopped.IsZero() {
		return false
	}
	t.running.Add(1)
	return true
}

// untilStopped is how long sequences may still go on.
func (t *Terminator) untilStopped() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.config.StopLimit - time.Since(t.stopped)
}

// begin takes in a request.
func (t *Terminator) begin(request Request) *run {
	r := t.newRun(request)
	t.history.put(&r.result)
	return r
}

func (t *Terminator) newRun(request Request) *run {
	if request.ID == "" {
		request.ID = rand.Text()
	}
	actor := &request.Actor
	actor.Name, actor.Role, actor.From = process.Printable(actor.Name), process.Printable(actor.Role), process.Printable(actor.From)
	r := &run{t: t, request: request, host: t.config.Host()}
	r.result = Result{
		ID: request.ID, DryRun: request.DryRun, Actor: request.Actor, Started: time.Now(),
		Weaker: r.host.weaker(), Subject: Subject{PID: request.PID},
	}
	return r
}
