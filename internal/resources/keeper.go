package resources

import (
	"context"
	"fmt"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"server-monitor/internal/flight"
)

// Gather collects the metric families of [Collectors].
type Gather func(ctx context.Context) ([]*dto.MetricFamily, error)

// Keeper reads the resources when they are asked for. Who asks at the same time,
// or soon after another, is given the same reading. It is safe for concurrent
// use.
type Keeper struct {
	gather Gather
	now    func() time.Time
	flight flight.Flight[*Resources]

	mu    sync.Mutex
	last  *Resources
	taken time.Time // when last was read, by the monotonic clock
	times coreTimes
}

const (
	// shared is how long a reading is given to others. The processors' ratio
	// over less time would say little.
	shared = time.Second
	// gatherLimit ends a reading that nobody waits for any more. A file system
	// that is stuck is given up after five seconds, and then left alone.
	gatherLimit = 10 * time.Second
)

// NewKeeper makes a keeper.
func NewKeeper(gather Gather) *Keeper { return &Keeper{gather: gather, now: time.Now} }

// Take returns the resources of now. They are not to be changed.
func (k *Keeper) Take(ctx context.Context) (*Resources, error) {
	return k.flight.Do(ctx, gatherLimit, k.take)
}

// take reads them, unless that was done just now. One call runs at a time.
func (k *Keeper) take(ctx context.Context) (*Resources, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if k.last != nil && now.Sub(k.taken) < shared {
		return k.last, nil
	}
	gathered, err := k.gather(ctx)
	if len(gathered) == 0 && err != nil {
		return nil, fmt.Errorf("read resources: %w", err)
	}
	f := index(gathered)
	times := f.coreTimes()
	r := &Resources{
		Taken: now.UTC().Truncate(time.Millisecond), CPU: f.cpu(k.times, times, now.Sub(k.taken)), Load: f.load(),
		Memory: f.memory(), Swap: f.swap(), FileSystems: f.fileSystems(), Uptime: f.uptime(now),
	}
	r.Health = worst(r.CPU.Health, r.Load.Health, r.Memory.Health, r.Swap.Health)
	for _, s := range r.FileSystems {
		r.Health = worst(r.Health, s.Health)
	}
	k.last, k.taken, k.times = r, now, times
	return r, nil
}
