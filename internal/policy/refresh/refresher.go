// Package refresh keeps a policy set up to date with the store it comes from, and
// says how fresh it is.
//
// Nobody waits for the store but whoever ends a process: all others take the set
// that is at hand. Each refresh lists _id and updated_at of every document, reads
// those that are new or bear another date, and drops those that are gone. What
// was edited without touching updated_at is found by a change stream where the
// server has one, and by reading everything every twentieth time. Documents
// without updated_at are read every time.
//
// What was read last is kept on disk, so that a server that starts while the
// store is away still knows what it forbids.
package refresh

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
)

// Store is where policy is kept; [mongostore.Store] is one.
type Store interface {
	Stamps(ctx context.Context) ([]mongostore.Stamp, error)
	All(ctx context.Context) ([]mongostore.Entry, error)
	Fetch(ctx context.Context, ids []mongostore.ID) ([]mongostore.Entry, error)
	Rules(ctx context.Context) ([]mongostore.RuleEntry, error)
	Lookup(ctx context.Context, names []string, cut string) ([]mongostore.Entry, []mongostore.RuleEntry, error)
	Watch(ctx context.Context, ready func(), changed func(mongostore.ID)) error
	Fingerprint() string
}

// The defaults of a [Config].
const (
	DefaultInterval = 30 * time.Second
	// ConsultBudget is how long one process is looked up before it is ended.
	ConsultBudget = 500 * time.Millisecond
)

// Config says what a [Refresher] does.
type Config struct {
	Platform policy.Platform
	Store    Store
	// Interval is the longest time between two refreshes, [DefaultInterval]
	// where 0.
	Interval time.Duration
	// CopyFile is where the last good copy is kept, nowhere where empty.
	CopyFile string
	Logger   *slog.Logger
}

// Refresher is a [policy.Provider] and [policy.Consultant] over a store.
type Refresher struct {
	store    Store
	platform policy.Platform
	interval time.Duration
	copyFile string
	logger   *slog.Logger

	current atomic.Pointer[policy.Set]
	wake    chan struct{} // something has changed in the store

	// turn is full while somebody changes what is held, one at a time.
	turn  chan struct{}
	held  entries
	rules []mongostore.RuleEntry
	count int // refreshes that succeeded

	mu     sync.Mutex
	dirty  map[mongostore.ID]bool
	status Status
}

// New makes a refresher with the last good copy, if there is one. [Refresher.Run]
// starts it.
func New(c Config) *Refresher {
	r := &Refresher{
		store: c.Store, platform: c.Platform, interval: cmp.Or(c.Interval, DefaultInterval), copyFile: c.CopyFile, logger: c.Logger,
		wake: make(chan struct{}, 1), turn: make(chan struct{}, 1), dirty: make(map[mongostore.ID]bool),
		status: Status{State: policy.NeverReached},
	}
	set := policy.EmbeddedSet(c.Platform)
	if kept := r.loadCopy(); kept != nil {
		kept.Embedded = true
		set = policy.Build(c.Platform, *kept)
		r.status.State = policy.Degraded
	}
	r.current.Store(set)
	return r
}

// Current implements [policy.Provider].
func (r *Refresher) Current() *policy.Set { return r.current.Load() }

// Run keeps the set up to date until ctx ends.
func (r *Refresher) Run(ctx context.Context) {
	var watching sync.WaitGroup
	watching.Go(func() { r.watch(ctx) })
	defer watching.Wait()
	if r.Status().State == policy.Degraded && !sleep(ctx, spread(min(r.interval, startPause), 1)) {
		return
	}
	_ = r.Refresh(ctx) // the state says what failed
	// Servers that were started together do not stay together.
	pause := time.NewTimer(spread(r.interval, 1))
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
			if !sleep(ctx, spread(min(r.interval, newsPause), 1)) {
				return
			}
		case <-pause.C:
		}
		_ = r.Refresh(ctx)
		pause.Reset(r.interval - spread(r.interval, 0.2))
	}
}

// startPause bounds how long servers that were started together, and have a copy
// to go on with, wait before they read everything, each for a time of its own. One
// without a copy knows nothing of what is forbidden, and asks at once.
const startPause = 2 * time.Second

// newsPause bounds how long servers that heard the same news wait before they
// ask for it, each for a time of its own.
const newsPause = time.Second

// spread is a random part of the first share of a duration.
func spread(d time.Duration, share float64) time.Duration {
	return time.Duration(rand.Float64() * share * float64(d)) //nolint:gosec // nothing secret hangs on it
}

// sleep waits, and tells whether ctx still holds.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// notice asks for a refresh soon.
func (r *Refresher) notice() {
	select {
	case r.wake <- struct{}{}:
	default: // somebody has asked already
	}
}
