package collector

import (
	"fmt"
	"testing"
	"time"

	"server-monitor/internal/policy"
)

func TestPolicyOfCatalogue(t *testing.T) {
	set := policy.NewSet(policy.Linux, policy.Document{Name: "nginx", Platform: policy.Linux}, policy.Document{Name: "dwm.exe", Platform: policy.Windows})
	c := NewPolicy(func() PolicyStatus { return PolicyStatus{Set: set} })
	compareExposition(t, c, fmt.Sprintf(`
# HELP server_monitor_policy_documents Documents on known processes, of all platforms, by where they come from.
# TYPE server_monitor_policy_documents gauge
server_monitor_policy_documents{source="catalogue"} 2
server_monitor_policy_documents{source="mongodb"} 0
# HELP server_monitor_policy_info 1, with the version of the policy that holds: the same on all servers that have the same policy.
# TYPE server_monitor_policy_info gauge
server_monitor_policy_info{version=%q} 1
# HELP server_monitor_policy_rules Process rules that are enabled.
# TYPE server_monitor_policy_rules gauge
server_monitor_policy_rules 0
`, set.Version()))
	lintExposition(t, c)
}

func TestPolicyOfStore(t *testing.T) {
	set := policy.Build(policy.Linux, policy.Contents{
		Catalogue: []policy.Document{{Name: "nginx", Platform: policy.Linux}},
		Store:     []policy.Document{{Name: "nginx", Platform: policy.Linux}, {Name: "backup", Platform: policy.Linux}},
		Rules:     []policy.Rule{{ID: "on", Enabled: true, Match: policy.Match{Name: "backup"}, Effect: policy.Protect}, {ID: "off"}},
		Invalid:   []policy.Invalid{{Collection: policy.KnownProcesses, ID: "1", Name: "broken", Platform: policy.Linux}},
	})
	store := PolicyStoreStatus{Up: true, LastSuccess: time.Unix(1_800_000_000, 250e6), Failures: 3}
	c := NewPolicy(func() PolicyStatus { return PolicyStatus{Set: set, Store: &store} })
	compareExposition(t, c, fmt.Sprintf(`
# HELP server_monitor_policy_documents Documents on known processes, of all platforms, by where they come from.
# TYPE server_monitor_policy_documents gauge
server_monitor_policy_documents{source="catalogue"} 1
server_monitor_policy_documents{source="mongodb"} 2
# HELP server_monitor_policy_info 1, with the version of the policy that holds: the same on all servers that have the same policy.
# TYPE server_monitor_policy_info gauge
server_monitor_policy_info{version=%q} 1
# HELP server_monitor_policy_invalid_documents Documents and rules of the store that are malformed; each counts as protecting what it may be about.
# TYPE server_monitor_policy_invalid_documents gauge
server_monitor_policy_invalid_documents 1
# HELP server_monitor_policy_last_success_timestamp_seconds When policy was last read from the store, in seconds since the Unix epoch; 0 if it never was.
# TYPE server_monitor_policy_last_success_timestamp_seconds gauge
server_monitor_policy_last_success_timestamp_seconds 1.80000000025e+09
# HELP server_monitor_policy_refresh_failures_total How often policy could not be read from the store.
# TYPE server_monitor_policy_refresh_failures_total counter
server_monitor_policy_refresh_failures_total 3
# HELP server_monitor_policy_rules Process rules that are enabled.
# TYPE server_monitor_policy_rules gauge
server_monitor_policy_rules 1
# HELP server_monitor_policy_store_up 1 if the policy store answered when it was last asked, else 0; absent where none is configured.
# TYPE server_monitor_policy_store_up gauge
server_monitor_policy_store_up 1
`, set.Version()))
	lintExposition(t, c)
	store = PolicyStoreStatus{Failures: 9}
	if up := values(t, c, "policy_store_up")[""]; up != 0 {
		t.Errorf("up %v", up)
	}
	if last, ok := values(t, c, "policy_last_success_timestamp_seconds")[""]; last != 0 || !ok {
		t.Errorf("last success %v, %v, want a 0", last, ok)
	}
}
