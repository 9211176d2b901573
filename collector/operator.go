package collector

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

var (
	operatorFailedLogins = declare("operator", "operator_failed_logins_total",
		"Bearer tokens shown to the operator listener that did not hold.", dto.MetricType_COUNTER)
	operatorDenied = declare("operator", "operator_denied_requests_total",
		"Requests that the operator listener turned away before it looked at what they ask for, by the code of the answer.",
		dto.MetricType_COUNTER, "reason")
)

// Operator counts whom the operator listener turns away.
type Operator struct{ logins, denied *prometheus.CounterVec }

// failedLogin is the reason of a token that does not hold.
const failedLogin = "failed-login"

// NewOperator makes the collector. The counters of the reasons are there from the
// start, so that an alert sees the first of each.
func NewOperator(reasons []string) *Operator {
	o := &Operator{logins: operatorFailedLogins.counters(), denied: operatorDenied.counters()}
	o.logins.WithLabelValues()
	for _, reason := range reasons {
		o.denied.WithLabelValues(reason)
	}
	return o
}

// Denied counts one request.
func (o *Operator) Denied(reason string) {
	o.denied.WithLabelValues(reason).Inc()
	if reason == failedLogin {
		o.logins.WithLabelValues().Inc()
	}
}

// Update implements [Collector].
func (o *Operator) Update(_ context.Context, ch chan<- prometheus.Metric) error {
	o.logins.Collect(ch)
	o.denied.Collect(ch)
	return nil
}
