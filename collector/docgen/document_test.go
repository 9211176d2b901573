package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"server-monitor/collector"
)

func TestDocumentIsCurrent(t *testing.T) {
	want, err := document(collector.Definitions())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/metrics.md is stale (-want +got); run make generate:\n%s", diff)
	}
}

func TestEveryMetricIsDocumented(t *testing.T) {
	text, err := document(collector.Definitions())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range collector.Definitions() {
		if n := strings.Count(string(text), "| `"+d.Name+"` |"); n != 1 {
			t.Errorf("%s has %d rows, want 1", d.Name, n)
		}
	}
}

func TestEveryExplainedLabelExists(t *testing.T) {
	used := make(map[string]bool)
	for _, d := range collector.Definitions() {
		for _, label := range d.Labels {
			used[label], used[d.Collector+"/"+label] = true, true
		}
	}
	for label := range labels {
		if !used[label] {
			t.Errorf("%s is explained but no metric bears it", label)
		}
	}
}

func TestDocumentRefusesWhatItCannotExplain(t *testing.T) {
	tests := map[string]collector.Definition{
		`no heading for collector "moon"`: {Collector: "moon", Name: "server_monitor_moon", Type: dto.MetricType_GAUGE},
		`label "phase" has no meaning`: {Collector: "cpu", Name: "server_monitor_cpu_phase", Type: dto.MetricType_GAUGE,
			Labels: []string{"phase"}},
	}
	for want, extra := range tests {
		_, err := document(append(collector.Definitions(), extra))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
