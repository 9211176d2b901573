package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
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

// TestTerminationsAreDocumented covers the metrics that no definition declares,
// as a histogram is more than a value.
func TestTerminationsAreDocumented(t *testing.T) {
	text, err := document(collector.Definitions())
	if err != nil {
		t.Fatal(err)
	}
	terminations := collector.NewTermination()
	terminations.Observe("terminated", "soft", "test", 0.1)
	ch := make(chan prometheus.Metric, 100)
	if err := terminations.Update(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
	close(ch)
	names := make(map[string]bool)
	for m := range ch {
		name := fqName.FindStringSubmatch(m.Desc().String())[1]
		names[name] = true
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("%s is not documented", name)
		}
		var sample dto.Metric
		if err := m.Write(&sample); err != nil {
			t.Fatal(err)
		}
		for _, label := range sample.GetLabel() {
			if !strings.Contains(string(text), "`"+label.GetName()+"`") {
				t.Errorf("label %s of %s is not documented", label.GetName(), name)
			}
		}
	}
	if len(names) != 2 {
		t.Errorf("metrics %v, want 2", names)
	}
}

var fqName = regexp.MustCompile(`fqName: "(\w+)"`)

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
		`no heading for collector "moon"`: {Collector: "moon", Name: "server_monitor_moon", Type: prometheus.GaugeValue},
		`label "phase" has no meaning`: {Collector: "cpu", Name: "server_monitor_cpu_phase", Type: prometheus.GaugeValue,
			Labels: []string{"phase"}},
	}
	for want, extra := range tests {
		_, err := document(append(collector.Definitions(), extra))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
