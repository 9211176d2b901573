package collector

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"server-monitor/internal/policy"
)

var (
	policyInfo = define("policy", "policy_info",
		"1, with the version of the policy that holds: the same on all servers that have the same policy.",
		prometheus.GaugeValue, "version")
	policyDocuments = define("policy", "policy_documents",
		"Documents on known processes, of all platforms, by where they come from.", prometheus.GaugeValue, "source")
	policyRules = define("policy", "policy_rules", "Process rules that are enabled.", prometheus.GaugeValue)

	policyStoreUp = define("policy", "policy_store_up",
		"1 if the policy store answered when it was last asked, else 0; absent where none is configured.", prometheus.GaugeValue)
	policyLastSuccess = define("policy", "policy_last_success_timestamp_seconds",
		"When policy was last read from the store, in seconds since the Unix epoch; 0 if it never was.", prometheus.GaugeValue)
	policyRefreshFailures = define("policy", "policy_refresh_failures_total",
		"How often policy could not be read from the store.", prometheus.CounterValue)
	policyInvalidDocuments = define("policy", "policy_invalid_documents",
		"Documents and rules of the store that are malformed; each counts as protecting what it may be about.", prometheus.GaugeValue)
)

// PolicyStatus is how policy fares.
type PolicyStatus struct {
	// Set is the policy that holds.
	Set *policy.Set
	// Store is nil where no store is configured.
	Store *PolicyStoreStatus
}

// PolicyStoreStatus is how the policy store fares.
type PolicyStoreStatus struct {
	// Up tells that the store answered when it was last asked.
	Up bool
	// LastSuccess is when policy was last read from it, zero if never.
	LastSuccess time.Time
	// Failures counts the readings that failed.
	Failures uint64
}

type policyCollector struct{ status func() PolicyStatus }

// NewPolicy makes the collector of the health of policy itself. status must
// not block.
func NewPolicy(status func() PolicyStatus) Collector { return policyCollector{status} }

// Update implements [Collector].
func (c policyCollector) Update(_ context.Context, ch chan<- prometheus.Metric) error {
	s := c.status()
	stats := s.Set.Stats()
	policyInfo.send(ch, 1, label(s.Set.Version()))
	for source, n := range stats.Documents {
		policyDocuments.send(ch, float64(n), label(string(source)))
	}
	policyRules.send(ch, float64(stats.Rules))
	if s.Store == nil {
		return nil
	}
	policyStoreUp.send(ch, number(s.Store.Up))
	last := 0.0
	if !s.Store.LastSuccess.IsZero() {
		last = seconds(s.Store.LastSuccess)
	}
	policyLastSuccess.send(ch, last)
	policyRefreshFailures.send(ch, float64(s.Store.Failures))
	policyInvalidDocuments.send(ch, float64(stats.Invalid))
	return nil
}
