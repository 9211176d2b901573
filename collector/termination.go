package collector

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

var (
	terminationRequests = declare("termination", "termination_requests_total",
		"Requests to end a process, by what became of them, how the process was ended and who asked.",
		dto.MetricType_COUNTER, "result", "method", "actor")
	terminationDuration = declare("termination", "termination_duration_seconds",
		"How long a process took to end from the first signal on.", dto.MetricType_HISTOGRAM, "method")
)

// Termination counts what became of requests to end a process.
type Termination struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// usualResults are the results with the methods that they come by.
var usualResults = map[string]string{
	"terminated": "soft", "killed": "hard", "kill_pending": "hard",
	"refused": "none", "already_exited": "none", "would_terminate": "none",
}

// NewTermination makes the collector of terminations. The usual counters are
// there from the start: a counter that is born as 1 has never risen for
// Prometheus, so that no alert would see the first request.
func NewTermination() *Termination {
	t := &Termination{
		requests: terminationRequests.counters(),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: terminationDuration.Name, Help: terminationDuration.Help,
			Buckets:                         []float64{.001, .005, .01, .05, .1, .5, 1, 2, 5, 7.5, 10},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, terminationDuration.Labels),
	}
	for result, method := range usualResults {
		for _, actor := range []string{"operator", "automation"} {
			t.requests.WithLabelValues(result, method, actor)
		}
	}
	return t
}

// Observe counts one result.
func (t *Termination) Observe(result, method, actor string, seconds float64) {
	if method == "" {
		method = "none"
	} else {
		t.duration.WithLabelValues(method).Observe(seconds)
	}
	t.requests.WithLabelValues(result, method, actor).Inc()
}

// Update implements [Collector].
func (t *Termination) Update(_ context.Context, ch chan<- prometheus.Metric) error {
	t.requests.Collect(ch)
	t.duration.Collect(ch)
	return nil
}
