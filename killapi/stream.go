package killapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"server-monitor/internal/language"
	"server-monitor/internal/token"
)

// The seconds between two events of GET /stream.
const (
	defaultInterval = 2
	minInterval     = 2
	maxInterval     = 60
)

// streamConsole answers GET /stream: what the console shows, and then what
// changes of it.
func (a *API) streamConsole(w http.ResponseWriter, r *http.Request, who token.Record) error {
	values := r.URL.Query()
	l, err := a.languageOf(values)
	if err != nil {
		return err
	}
	interval := defaultInterval
	if values.Has("interval") {
		interval, err = parsePosition("interval", values.Get("interval"), maxInterval)
		if err != nil || interval < minInterval {
			return problemBody.with("The parameter interval must be a number of seconds from " +
				strconv.Itoa(minInterval) + " to " + strconv.Itoa(maxInterval) + ".")
		}
	}
	leave, err := a.enterStream(r, who)
	if err != nil {
		return err
	}
	defer leave()
	return a.serveStream(w, r, func(s *stream) error {
		return a.follow(r, who, s, a.board(l), time.Duration(interval)*a.pace.unit)
	})
}

// board is that of a language.
func (a *API) board(l language.Language) *board {
	a.boardLock.Lock()
	defer a.boardLock.Unlock()
	b := a.boards[l]
	if b == nil {
		b = &board{api: a, language: l}
		a.boards[l] = b
	}
	return b
}

// follow sends what changes, at every interval. All streams of one interval ask
// at the same moments.
func (a *API) follow(r *http.Request, who token.Record, s *stream, b *board, interval time.Duration) error {
	ctx, cancel := a.untilStopped(r.Context())
	defer cancel()
	var version uint64
	next := time.Now()
	for {
		now := time.Now()
		if !a.holds(r, who, token.Viewer) {
			s.end(endToken)
			return nil
		}
		if !now.Before(next) {
			next = now.Truncate(interval).Add(interval)
			if err := b.renew(ctx, a.pace.fresh); err == nil {
				if version, err = s.sendUpdates(b, version); err != nil {
					return err
				}
			}
		}
		if err := s.beat(time.Now()); err != nil {
			return err
		}
		if !sleep(ctx, min(time.Until(next), interval, a.pace.beat)) {
			if a.life.Err() != nil {
				s.end(endStopping)
			}
			return nil
		}
	}
}

// sendUpdates sends what changed on a board after a version, and returns the
// version that it leads to.
func (s *stream) sendUpdates(b *board, version uint64) (uint64, error) {
	updates, now, err := b.since(version)
	if err != nil {
		return version, err
	}
	for _, u := range updates {
		if err := s.send(u.name, now, u.data); err != nil {
			return version, err
		}
	}
	return now, nil
}

// untilStopped is a context that also ends when the API is closed.
func (a *API) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(a.life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// sleep waits, and tells whether it was left in peace.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
