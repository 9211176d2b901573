package collector

import (
	"testing"
	"time"
)

func TestPolicyOfCatalogue(t *testing.T) {
	c := NewPolicy(func() PolicyStatus {
		return PolicyStatus{Version: "4f2a", Documents: map[string]int{"catalogue": 312}}
	})
	compareExposition(t, c, `
# HELP server_monitor_policy_documents Documents on known processes that hold on this platform, by where they come from.
# TYPE server_monitor_policy_documents gauge
server_monitor_policy_documents{source="catalogue"} 312
# HELP server_monitor_policy_info 1, with the version of the policy that holds: the same on all servers that have the same policy.
# TYPE server_monitor_policy_info gauge
server_monitor_policy_info{version="4f2a"} 1
# HELP server_monitor_policy_rules Process rules that hold.
# TYPE server_monitor_policy_rules gauge
server_monitor_policy_rules 0
`)
	lintExposition(t, c)
}

func TestPolicyOfStore(t *testing.T) {
	store := &PolicyStoreStatus{Up: true, LastSuccess: time.Unix(1_800_000_000, 250e6), Failures: 3, Invalid: 2}
	status := PolicyStatus{Version: "a\nb", Documents: map[string]int{"catalogue": 300, "store": 14}, Rules: 5, Store: store}
	c := NewPolicy(func() PolicyStatus { return status })
	compareExposition(t, c, `
# HELP server_monitor_policy_documents Documents on known processes that hold on this platform, by where they come from.
# TYPE server_monitor_policy_documents gauge
server_monitor_policy_documents{source="catalogue"} 300
server_monitor_policy_documents{source="store"} 14
# HELP server_monitor_policy_info 1, with the version of the policy that holds: the same on all servers that have the same policy.
# TYPE server_monitor_policy_info gauge
server_monitor_policy_info{version="a\\nb"} 1
# HELP server_monitor_policy_invalid_documents Documents of the store that are malformed; each counts as protecting its name.
# TYPE server_monitor_policy_invalid_documents gauge
server_monitor_policy_invalid_documents 2
# HELP server_monitor_policy_last_success_timestamp_seconds When policy was last read from the store, in seconds since the Unix epoch; 0 if it never was.
# TYPE server_monitor_policy_last_success_timestamp_seconds gauge
server_monitor_policy_last_success_timestamp_seconds 1.80000000025e+09
# HELP server_monitor_policy_refresh_failures_total How often policy could not be read from the store.
# TYPE server_monitor_policy_refresh_failures_total counter
server_monitor_policy_refresh_failures_total 3
# HELP server_monitor_policy_rules Process rules that hold.
# TYPE server_monitor_policy_rules gauge
server_monitor_policy_rules 5
# HELP server_monitor_policy_store_up 1 if the policy store answered when it was last asked, else 0; absent where none is configured.
# TYPE server_monitor_policy_store_up gauge
server_monitor_policy_store_up 1
`)
	lintExposition(t, c)
	*store = PolicyStoreStatus{Failures: 9}
	if up := values(t, c, "policy_store_up")[""]; up != 0 {
		t.Errorf("up %v", up)
	}
	if last, ok := values(t, c, "policy_last_success_timestamp_seconds")[""]; last != 0 || !ok {
		t.Errorf("last success %v, %v, want a 0", last, ok)
	}
}
