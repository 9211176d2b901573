package collector

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"server-monitor/internal/process"
)

// maxStuck bounds the file systems that may keep a thread each. It is far
// below the 10,000 threads at which the Go runtime ends the program.
const maxStuck = 256

var (
	// errStuck: the file system did not answer in time, in this scrape or an
	// earlier one.
	errStuck = errors.New("file system does not answer")
	// errTooManyStuck: so many do not answer that no further ones are asked.
	errTooManyStuck = errors.New("not asked, as too many file systems do not answer")
)

// usage is how full a file system is, sizes in bytes.
type usage struct {
	size, available, used uint64
	files, filesFree      uint64
}

type usageAnswer struct {
	usage
	err error
}

// usageAsker asks file systems how full they are without being held up by one
// that never answers, as a hard-mounted NFS does whose server is gone. The
// system call cannot be given up, so it is left to a goroutine, and the path
// is not touched again before that one is back.
type usageAsker struct {
	statfs  func(path string) (usage, error)
	timeout time.Duration
	logger  *slog.Logger

	mu      sync.Mutex
	running map[string]*usageCall
	stuck   int
}

// usageCall is one system call under way.
type usageCall struct {
	path string
	// answer may be read once done is closed.
	answer usageAnswer
	done   chan struct{}
	// stuck is guarded by the mutex of the asker.
	stuck bool
}

func newUsageAsker(statfs func(path string) (usage, error), timeout time.Duration, logger *slog.Logger) *usageAsker {
	return &usageAsker{statfs: statfs, timeout: timeout, logger: logger, running: map[string]*usageCall{}}
}

// ask asks all mounts at once and returns their answers in the same order,
// after the timeout at the latest. It fails only where ctx ends before.
func (a *usageAsker) ask(ctx context.Context, mounts []mount) ([]usageAnswer, error) {
	calls := make([]*usageCall, len(mounts))
	for i, m := range mounts {
		calls[i] = a.begin(m.path)
	}
	wait, cancel := context.WithTimeoutCause(ctx, a.timeout, errStuck)
	defer cancel()
	answers := make([]usageAnswer, len(mounts))
	for i, call := range calls {
		answers[i] = a.await(wait, call)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return answers, nil
}

// begin returns the call that is under way for the path, or starts one. It
// returns nil where too many are stuck to risk another.
func (a *usageAsker) begin(path string) *usageCall {
	a.mu.Lock()
	defer a.mu.Unlock()
	if call := a.running[path]; call != nil {
		return call
	}
	if a.stuck >= maxStuck {
		return nil
	}
	call := &usageCall{path: path, done: make(chan struct{})}
	a.running[path] = call
	go a.run(call)
	return call
}

// run makes the system call and forgets it when it is back.
func (a *usageAsker) run(call *usageCall) {
	call.answer.usage, call.answer.err = a.statfs(call.path)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.running, call.path)
	if call.stuck {
		a.stuck--
		a.logger.Info("file system answers again", "path", process.Printable(call.path))
	}
	close(call.done)
}

// await waits for one call until wait ends, and not at all for one that is
// known to be stuck.
func (a *usageAsker) await(wait context.Context, call *usageCall) usageAnswer {
	if call == nil {
		return usageAnswer{err: errTooManyStuck}
	}
	if a.isStuck(call) {
		return usageAnswer{err: errStuck}
	}
	select {
	case <-call.done:
		return call.answer
	case <-wait.Done():
		return a.giveUp(wait, call)
	}
}

func (a *usageAsker) isStuck(call *usageCall) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return call.stuck
}

// giveUp marks a call as stuck, unless it has come back in this very moment
// or was not given its time.
func (a *usageAsker) giveUp(wait context.Context, call *usageCall) usageAnswer {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-call.done:
		return call.answer
	default:
	}
	if cause := context.Cause(wait); !errors.Is(cause, errStuck) {
		return usageAnswer{err: cause}
	}
	if !call.stuck {
		call.stuck = true
		a.stuck++
		a.logger.Warn("file system does not answer, leaving it alone until it does",
			"path", process.Printable(call.path), "waited", a.timeout)
	}
	return usageAnswer{err: errStuck}
}
