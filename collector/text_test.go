package collector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"server-monitor/internal/inventory"
	"server-monitor/internal/policy"
	"server-monitor/internal/risk"
)

// awkward are values and labels that are written in a way of their own.
var (
	awkward       = newMetric("test_awkward", "A test with a \\ and\na line break.", prometheus.GaugeValue, "zone", "area")
	awkwardValues = []float64{
		0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 0.1, 1e-300, 1722470401, 1e21, 123456.789, math.MaxUint64,
	}
	awkwardLabels = []string{"", "plain", `back\slash`, "line\nbreak", `"quoted"`, `\n`, "서버", "a,b={}"}
)

// awkwardly sends all of them.
func awkwardly(_ context.Context, ch chan<- prometheus.Metric) error {
	for _, zone := range awkwardLabels {
		for i, value := range awkwardValues {
			awkward.send(ch, value, zone, fmt.Sprint(i))
		}
	}
	return nil
}

var durations = regexp.MustCompile(`(?m)^(server_monitor_scrape_collector_duration_seconds{.*}) .*$`)

// withoutDurations is a text without what differs from scrape to scrape.
func withoutDurations(text string) string { return durations.ReplaceAllString(text, "$1") }

// TestTextLikeExpfmt compares, byte for byte, what a selection writes with what
// package expfmt makes of the same samples.
func TestTextLikeExpfmt(t *testing.T) {
	source := idle(400)
	keeper := inventory.NewKeeper(source, risk.NewJudge(risk.Criteria{HighMemoryRatio: 1}),
		policy.Fixed{Set: policy.NewSet(policy.Linux, policy.Catalogue()...)})
	set := NewSet(discard(), map[string]Collector{
		"process": NewProcess(keeper, testConfig(), discard()), "termination": NewTermination(usualResults, nil), "says": says("one"),
		"awkward": &updateFunc{update: awkwardly}, "none": &updateFunc{update: func(context.Context, chan<- prometheus.Metric) error { return ErrNoData }},
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "a_registry_total", Help: "A test."}, func() float64 { return 7 }))
	selected, err := set.Select(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	source.still = true
	if _, err := selected.AppendText(nil); err != nil { // so that the next page has been used
		t.Fatal(err)
	}
	want := textOf(t, Gatherers{registry, selected})
	got, err := selected.AppendText([]byte("before\n"), registry)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("before\n"+withoutDurations(want), withoutDurations(string(got))); diff != "" {
		t.Errorf("-expfmt +text:\n%s", diff)
	}
	if n := strings.Count(want, "\n"); n < 400 {
		t.Errorf("%d lines", n)
	}
}

// failing gathers one family, and an error.
type failing struct{ family *dto.MetricFamily }

func (f failing) Gather() ([]*dto.MetricFamily, error) {
	return []*dto.MetricFamily{f.family}, errors.New("half of it")
}

func TestTextOfWhatCanBeGathered(t *testing.T) {
	set := NewSet(discard(), map[string]Collector{"says": says("one")})
	selected, err := set.Select(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	name, kind, one := "test_gauge", dto.MetricType_GAUGE, 1.0
	text, err := selected.AppendText(nil, failing{&dto.MetricFamily{
		Name: &name, Type: &kind, Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &one}}},
	}})
	if err == nil || !strings.Contains(string(text), "test_gauge 1\n") || !strings.Contains(string(text), `server_monitor_test_value{from="one"} 1`) {
		t.Errorf("%v, text:\n%s", err, text)
	}
	text, err = selected.AppendText(nil, failing{&dto.MetricFamily{Name: &name, Type: &kind}})
	if err == nil || strings.Contains(string(text), "test_gauge") {
		t.Errorf("%v, text:\n%s", err, text)
	}
}

// TestTextsSideBySide has many scrapes at once, none of which may see a page of
// another.
func TestTextsSideBySide(t *testing.T) {
	collectors := make(map[string]Collector)
	for i := range 8 {
		collectors[fmt.Sprint(i)] = says(strings.Repeat(fmt.Sprint(i), 1+100*i))
	}
	set := NewSet(discard(), collectors)
	var scrapes sync.WaitGroup
	for i := range 8 {
		scrapes.Go(func() {
			for range 50 {
				selected, err := set.Select(t.Context(), []string{fmt.Sprint(i)}, nil)
				if err != nil {
					t.Error(err)
					return
				}
				text, err := selected.AppendText(nil)
				want := "server_monitor_test_value{from=\"" + strings.Repeat(fmt.Sprint(i), 1+100*i) + "\"} 1\n"
				if err != nil || strings.Count(string(text), "test_value{") != 1 || !strings.HasSuffix(string(text), want) {
					t.Errorf("%v, text:\n%s", err, text)
				}
			}
		})
	}
	scrapes.Wait()
}

// TestLabelsAreKnownBounded sends more series of one family than are kept.
func TestLabelsAreKnownBounded(t *testing.T) {
	m := newMetric("test_many", "A test.", prometheus.GaugeValue, "from")
	for i := range 3 * maxKnown {
		value := fmt.Sprint(i)
		if got := m.family.labels([]string{value}).text; got != `{from="`+value+`"}` {
			t.Fatalf("labels %s", got)
		}
		if len(m.family.known) > maxKnown {
			t.Fatalf("%d known", len(m.family.known))
		}
	}
	values := []string{"mine"}
	l := m.family.labels(values)
	values[0] = "changed"
	if l.pairs[0].GetValue() != "mine" || m.family.labels([]string{"mine"}) != l {
		t.Errorf("labels %s", l.text)
	}
}
