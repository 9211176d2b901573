package collector

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"server-monitor/internal/inventory"
	"server-monitor/internal/policy"
	"server-monitor/internal/risk"
)

// lines are the lines of the text that a gatherer gives, in ascending order.
func lines(t *testing.T, g prometheus.Gatherer) []string {
	t.Helper()
	return linesOf(textOf(t, g))
}

// linesOf are the lines of a text, in ascending order, without what differs from
// scrape to scrape.
func linesOf(text string) []string {
	all := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool {
		return strings.HasPrefix(line, namespace+"_scrape_collector_duration_seconds{")
	})
	slices.Sort(all)
	return all
}

// textOf is the text that package expfmt makes of what a gatherer gives.
func textOf(t *testing.T, g prometheus.Gatherer) string {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for i, f := range families {
		if i > 0 && families[i-1].GetName() >= f.GetName() {
			t.Errorf("%s comes after %s", f.GetName(), families[i-1].GetName())
		}
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

// TestGatherLikeRegistry compares what a selection gathers with what a registry,
// which checks all it can, makes of it: samples and metrics of other kinds.
func TestGatherLikeRegistry(t *testing.T) {
	source := idle(400)
	keeper := inventory.NewKeeper(source, risk.NewJudge(risk.Criteria{HighMemoryRatio: 1}),
		policy.Fixed{Set: policy.NewSet(policy.Linux, policy.Catalogue()...)})
	endings := NewTermination(usualResults, nil)
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "test_histogram", Help: "A test."})
	histogram.Observe(1)
	swapped := newMetric("test_swapped", "Labels that are not in order.", prometheus.CounterValue, "zone", "area")
	set := NewSet(discard(), map[string]Collector{
		"process": NewProcess(keeper, testConfig(), discard()), "termination": endings, "says": says("one"),
		"others": &updateFunc{update: func(_ context.Context, ch chan<- prometheus.Metric) error {
			swapped.send(ch, 3, "z", "a\n\"\\")
			ch <- histogram
			return nil
		}},
	})
	selected, err := set.Select(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	source.still = true
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(selected)
	want := lines(t, registry)
	got := lines(t, Gatherers{prometheus.NewRegistry(), selected})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-registry +gathered:\n%s", diff)
	}
	if len(got) < 300 || !slices.Contains(got, `server_monitor_test_swapped{area="a\n\"\\",zone="z"} 3`) {
		t.Errorf("%d lines: %q", len(got), got)
	}
}

func TestSampleOfWrongLabels(t *testing.T) {
	for name, values := range map[string][]string{"too few": {}, "too many": {"a", "b"}, "not UTF-8": {"\xff"}} {
		t.Run(name, func(t *testing.T) {
			_, err := gather(t.Context(), &updateFunc{update: func(_ context.Context, ch chan<- prometheus.Metric) error {
				testMetric.send(ch, 1, values...)
				return nil
			}})
			if err == nil || !strings.Contains(err.Error(), "server_monitor_test_value: ") {
				t.Errorf("error %v", err)
			}
		})
	}
}
