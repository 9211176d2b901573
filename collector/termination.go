package collector

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

var (
	terminationRequests = declare("termination", "termination_requests_total",
		"Requests to end a process, by what became of them, how the process was ended and who asked. Each is counted once.",
		dto.MetricType_COUNTER, "result", "method", "actor")
	terminationTurnedAway = declare("termination", "termination_turned_away_requests_total",
		"Requests to end a process that were turned away before the process was looked at, by the code of the answer; they are not among the requests above.",
		dto.MetricType_COUNTER, "code", "actor")
	terminationUntrusted = declare("termination", "termination_untrusted_names_total",
		"Requests that policy denied by a name of the process that may be forged: somebody may be hiding behind it.",
		dto.MetricType_COUNTER, "actor")
	terminationDuration = declare("termination", "termination_duration_seconds",
		"How long a process took to end from the first signal on, observed when it has ended.", dto.MetricType_HISTOGRAM, "method")
)

// Termination counts what became of requests to end a process.
type Termination struct {
	requests, turnedAway, untrusted *prometheus.CounterVec
	duration                        *prometheus.HistogramVec

	mu      sync.Mutex
	started time.Time
	settled []string // actors of requests that an earlier run left open, not counted yet
}

// methods are how the results come about where that is not by none.
var methods = map[string]string{"terminated": "soft", "killed": "hard", "kill_pending": "hard"}

const noMethod = "none"

// unknownResult is that of a request that an earlier run of the program left open.
const unknownResult = "outcome_unknown"

// settleAfter is how long after the start such requests are counted: a counter
// that is 1 when it is first scraped has never risen for Prometheus.
const settleAfter = 2 * time.Minute

var actors = []string{"operator", "automation"}

// NewTermination makes the collector of terminations: of those with the results,
// and of those turned away with the codes. All counters are there from the start:
// one that is born as 1 has never risen for Prometheus, so that no alert would see
// the first request.
func NewTermination(results, codes []string) *Termination {
	t := &Termination{
		requests: terminationRequests.counters(), turnedAway: terminationTurnedAway.counters(), untrusted: terminationUntrusted.counters(),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: terminationDuration.Name, Help: terminationDuration.Help,
			Buckets:                         []float64{.001, .005, .01, .05, .1, .5, 1, 2, 5, 7.5, 10},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, terminationDuration.Labels),
		started: time.Now(),
	}
	for _, actor := range actors {
		for _, result := range results {
			method := noMethod
			if m := methods[result]; m != "" {
				method = m
			}
			t.requests.WithLabelValues(result, method, actor)
		}
		for _, code := range codes {
			t.turnedAway.WithLabelValues(code, actor)
		}
		t.untrusted.WithLabelValues(actor)
	}
	return t
}

// Observe counts what became of one request.
func (t *Termination) Observe(result, method, actor string) {
	if method == "" {
		method = noMethod
	}
	t.requests.WithLabelValues(result, method, actor).Inc()
}

// Ended observes how long a process took to end.
func (t *Termination) Ended(method string, seconds float64) {
	t.duration.WithLabelValues(method).Observe(seconds)
}

// TurnedAway counts a request that got nowhere.
func (t *Termination) TurnedAway(code, actor string) {
	t.turnedAway.WithLabelValues(code, actor).Inc()
}

// UntrustedName counts a denial by a name that may be forged.
func (t *Termination) UntrustedName(actor string) { t.untrusted.WithLabelValues(actor).Inc() }

// Unknown counts a request that an earlier run left open, once the counters were
// scraped as they are at the start.
func (t *Termination) Unknown(actor string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settled = append(t.settled, actor)
}

// settle counts those requests when it is time.
func (t *Termination) settle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.started) < settleAfter {
		return
	}
	for _, actor := range t.settled {
		t.Observe(unknownResult, "", actor)
	}
	t.settled = nil
}

// Update implements [Collector].
func (t *Termination) Update(_ context.Context, ch chan<- prometheus.Metric) error {
	t.settle()
	t.requests.Collect(ch)
	t.turnedAway.Collect(ch)
	t.untrusted.Collect(ch)
	t.duration.Collect(ch)
	return nil
}
