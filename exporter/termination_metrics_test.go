package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"server-monitor/collector"
	"server-monitor/internal/terminate"
	"server-monitor/killapi"
)

// TestTerminationLabelsAreDocumented holds docs/metrics.md, against which the rules
// of alerts are checked, against what is counted.
func TestTerminationLabelsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Terminations\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for label, counted := range map[string][]string{"result": terminate.Tallies(), "code": killapi.TurnAwayCodes} {
		row := regexp.MustCompile("(?m)^\\| `" + label + "` \\| (.*) \\|$").FindStringSubmatch(section)
		if row == nil {
			t.Fatalf("no row of %s", label)
		}
		var documented []string
		for _, value := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			documented = append(documented, value[1])
		}
		counted = slices.Sorted(slices.Values(counted))
		if slices.Sort(documented); !slices.Equal(documented, counted) {
			t.Errorf("%s: documented %v, counted %v", label, documented, counted)
		}
	}
}

// TestResultsAreCountedOnce: a process that was pending is counted as that, and its
// duration is known only at its end.
func TestResultsAreCountedOnce(t *testing.T) {
	p := &parts{endings: collector.NewTermination(terminate.Tallies(), killapi.TurnAwayCodes)}
	denied := terminate.Ruling{Denied: true, Untrusted: true}
	for _, r := range []terminate.Result{
		{Outcome: terminate.KillPending, Method: terminate.Hard, SoftSeconds: 5, HardSeconds: 2},
		{Outcome: terminate.Killed, Method: terminate.Hard, SoftSeconds: 5, HardSeconds: 30, Late: true},
		{Outcome: terminate.Terminated, Method: terminate.Soft, SoftSeconds: 1},
		{Outcome: terminate.Refused, Sent: []string{"SIGTERM"}, Reasons: []terminate.Reason{{Code: terminate.CodeStopping}}},
		{Outcome: terminate.Refused, Reasons: []terminate.Reason{{Code: terminate.CodePolicyDenied}}, Policy: denied},
	} {
		p.observe(&r)
	}
	got := exposition(t, p.endings)
	for _, want := range []string{
		`termination_requests_total{actor="operator",method="hard",result="kill_pending"} 1`,
		`termination_requests_total{actor="operator",method="hard",result="killed"} 0`,
		`termination_requests_total{actor="operator",method="none",result="failed"} 1`,
		`termination_requests_total{actor="operator",method="none",result="refused"} 1`,
		`termination_untrusted_names_total{actor="operator"} 1`,
		`termination_duration_seconds_count{method="hard"} 1`,
		`termination_duration_seconds_sum{method="hard"} 35`,
		`termination_duration_seconds_count{method="soft"} 1`,
	} {
		if !strings.Contains(got, "server_monitor_"+want+"\n") {
			t.Errorf("not %s in\n%s", want, got)
		}
	}
}

// exposition is what a scrape of a collector gives.
func exposition(t *testing.T, c collector.Collector) string {
	t.Helper()
	set := collector.NewSet(slog.New(slog.DiscardHandler), map[string]collector.Collector{"termination": c})
	selected, err := set.Select(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(selected)
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range all {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}
