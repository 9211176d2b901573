package killapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"server-monitor/internal/language"
	"server-monitor/internal/logtail"
	"server-monitor/internal/token"
)

// The events of a stream of a log.
const (
	eventLog     = "log"
	eventSkipped = "skipped"
)

// skipped is the data of the event skipped.
type skipped struct {
	Lines uint64 `json:"lines"`
}

// streamLog answers GET /logs/stream: the last lines of a log, and then every
// line that is appended.
func (a *API) streamLog(w http.ResponseWriter, r *http.Request, who token.Record) error {
	values := r.URL.Query()
	l, err := a.languageOf(values)
	if err != nil {
		return err
	}
	source := values.Get("source")
	log, ok := a.config.Logs[source]
	if !ok {
		return problemNoSource
	}
	leave, err := a.enterStream(r, who)
	if err != nil {
		return err
	}
	defer leave()
	watched, err := a.tails.join(a.life, source, log, a.pace.poll)
	if err != nil {
		a.config.Logger.Warn("log cannot be followed", "source", source, "err", err)
		return problemNoLog.with(logtail.Problem(err).In(l))
	}
	defer a.tails.leave(source, watched)
	return a.serveStream(w, r, func(s *stream) error { return a.followLog(r, who, s, watched, l) })
}

// followLog sends the lines of a log as they come.
func (a *API) followLog(r *http.Request, who token.Record, s *stream, watched *tail, l language.Language) error {
	ctx, cancel := a.untilStopped(r.Context())
	defer cancel()
	at := watched.tip()
	for {
		if !a.holds(r, who, token.Viewer) {
			s.end(endToken)
			return nil
		}
		news := watched.after(at)
		at = news.last
		if err := s.sendLines(&news); err != nil {
			return err
		}
		switch {
		case a.life.Err() != nil:
			s.end(endStopping)
			return nil
		case news.err != nil:
			_ = s.send(eventProblem, 0, streamProblem{eventLog, endLog, logtail.Problem(news.err).In(l)}.json())
			s.end(endLog)
			return nil
		}
		if err := s.beat(time.Now()); err != nil {
			return err
		}
		if !await(ctx, news.more, a.pace.beat) && r.Context().Err() != nil {
			return nil
		}
	}
}

// await waits for news, for as long as ctx and the limit allow. It returns false
// where ctx ended.
func await(ctx context.Context, news <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-news:
	case <-timer.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// logEvent is the data of the event log.
type logEvent struct {
	Lines []json.RawMessage `json:"lines"`
}

// sendLines sends what is new in a log.
func (s *stream) sendLines(n *news) error {
	if n.missed > 0 {
		if err := s.sendJSON(eventSkipped, skipped{n.missed}); err != nil {
			return err
		}
	}
	if len(n.lines) == 0 {
		return nil
	}
	data, err := json.Marshal(logEvent{n.lines})
	if err != nil {
		return err
	}
	return s.send(eventLog, n.last, data)
}
