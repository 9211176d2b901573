package process

import (
	"sync"
	"time"
)

// accounts turns SIDs into names. Who is asked for a name may be a domain
// controller far away, for which no snapshot waits long: until it answers, the
// SID stands for the name.
type accounts struct {
	look func(sid string) string
	wait time.Duration
	now  func() time.Time

	mu    sync.Mutex
	names map[string]account
}

// account is a name, or that there is none, or that it is being looked for.
type account struct {
	name    string
	asked   time.Time
	pending bool
}

const (
	accountWait  = 250 * time.Millisecond
	accountRetry = 10 * time.Minute // until a name that was not found is asked for again
)

func newAccounts() *accounts {
	return &accounts{look: accountName, wait: accountWait, now: time.Now, names: make(map[string]account)}
}

// name is the name of a user, or the SID where none is known yet.
func (a *accounts) name(sid string) string {
	a.mu.Lock()
	known, ok := a.names[sid]
	if ok && (known.pending || known.name != "" || a.now().Sub(known.asked) < accountRetry) {
		a.mu.Unlock()
		return orSID(known.name, sid)
	}
	a.names[sid] = account{asked: a.now(), pending: true}
	a.mu.Unlock()
	found := make(chan string, 1)
	go func() {
		name := a.look(sid)
		a.mu.Lock()
		a.names[sid] = account{name: name, asked: a.now()}
		a.mu.Unlock()
		found <- name
	}()
	timer := time.NewTimer(a.wait)
	defer timer.Stop()
	select {
	case name := <-found:
		return orSID(name, sid)
	case <-timer.C:
		return sid
	}
}

func orSID(name, sid string) string {
	if name == "" {
		return sid
	}
	return name
}
