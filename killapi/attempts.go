package killapi

import (
	"math"
	"sync"
	"time"
)

// attempts counts what somebody did within a span of time.
type attempts struct {
	limit int
	span  time.Duration

	mu   sync.Mutex
	done map[string][]time.Time
}

// maxRemembered bounds how many are remembered; beyond that the oldest give
// way, whoever they are.
const maxRemembered = 10_000

func newAttempts(limit int, span time.Duration) *attempts {
	return &attempts{limit: limit, span: span, done: make(map[string][]time.Time)}
}

// full tells whether the limit is reached: the seconds until it is not, else 0.
func (a *attempts) full(who string) (wait int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wait(who, time.Now())
}

// add counts one.
func (a *attempts) add(who string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.note(who, time.Now())
}

// take counts one unless the limit is reached, and tells as full does.
func (a *attempts) take(who string) (wait int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if wait := a.wait(who, now); wait > 0 {
		return wait
	}
	a.note(who, now)
	return 0
}

// wait is how many seconds are left until one more is within the limit.
func (a *attempts) wait(who string, now time.Time) int {
	times := a.done[who]
	for len(times) > 0 && now.Sub(times[0]) >= a.span {
		times = times[1:]
	}
	if len(times) == 0 {
		delete(a.done, who)
		return 0
	}
	a.done[who] = times
	if len(times) < a.limit {
		return 0
	}
	return max(1, int(math.Ceil((a.span - now.Sub(times[len(times)-a.limit])).Seconds())))
}

func (a *attempts) note(who string, now time.Time) {
	if len(a.done) >= maxRemembered {
		a.forget(now)
	}
	a.done[who] = append(a.done[who], now)
}

// forget drops what no longer counts, and all of it where that is not enough.
func (a *attempts) forget(now time.Time) {
	for who := range a.done {
		a.wait(who, now)
	}
	if len(a.done) >= maxRemembered {
		clear(a.done)
	}
}
