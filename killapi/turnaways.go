package killapi

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"server-monitor/internal/terminate"
)

// turnAways audits what is turned away, up to a limit for each who in a span of
// time: nobody is to drown the audit in requests that he may not make, or to
// push what he did out of it. What is beyond the limit is told in one line, with
// its number, once the span is over.
type turnAways struct {
	limit, most int
	span        time.Duration
	record      func(*terminate.Event)

	mu    sync.Mutex
	spans map[string]*turnAwaySpan
}

// turnAwaySpan is what was turned away of one in the present span.
type turnAwaySpan struct {
	audited int
	rest    terminate.Event // stands for those beyond the limit
	end     *time.Timer
}

// newTurnAways audits limit events of each who in a span. Of those beyond the
// first most in it that are told apart, all count as one.
func newTurnAways(limit, most int, span time.Duration, record func(*terminate.Event)) *turnAways {
	return &turnAways{limit: limit, most: most, span: span, record: record, spans: make(map[string]*turnAwaySpan)}
}

// others stands for all that are not told apart.
const others = ""

// audit records an event of somebody, or counts it.
func (t *turnAways) audit(who string, e *terminate.Event) {
	if t.within(who, e) {
		t.record(e)
	}
}

// within tells whether an event is within the limit, and counts it.
func (t *turnAways) within(who string, e *terminate.Event) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spans[who] == nil && len(t.spans) >= t.most {
		who = others
	}
	s := t.spans[who]
	if s == nil {
		s = new(turnAwaySpan)
		s.end = time.AfterFunc(t.span, func() { t.settle(who, s) })
		t.spans[who] = s
	}
	if s.audited < t.limit {
		s.audited++
		return true
	}
	s.add(e)
	return false
}

// add counts an event beyond the limit. What differs between those is left out.
func (s *turnAwaySpan) add(e *terminate.Event) {
	if s.rest.More++; s.rest.More == 1 {
		s.rest.Actor = e.Actor
	} else if s.rest.Actor != e.Actor {
		s.rest.Actor = terminate.Actor{Name: "several", Role: e.Actor.Role, Automation: e.Actor.Automation}
	}
	for _, code := range e.Codes {
		if !slices.Contains(s.rest.Codes, code) {
			s.rest.Codes = append(s.rest.Codes, code)
		}
	}
}

// settle ends a span, and tells of what was beyond the limit.
func (t *turnAways) settle(who string, s *turnAwaySpan) {
	t.mu.Lock()
	if t.spans[who] != s {
		t.mu.Unlock()
		return // close was faster
	}
	delete(t.spans, who)
	t.mu.Unlock()
	t.tell(s)
}

func (t *turnAways) tell(s *turnAwaySpan) {
	if s.rest.More == 0 {
		return
	}
	e := s.rest
	e.Time, e.ID = time.Now(), rand.Text()
	e.Stage, e.Decision, e.Outcome = terminate.StageDecision, terminate.Rejected, terminate.Refused
	t.record(&e)
}

// close ends all spans.
func (t *turnAways) close() {
	t.mu.Lock()
	spans := t.spans
	t.spans = make(map[string]*turnAwaySpan)
	t.mu.Unlock()
	for _, s := range spans {
		s.end.Stop()
		t.tell(s)
	}
}
