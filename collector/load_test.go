package collector

import (
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// scrapeOnce lets testutil collect from a [Collector]. Like a [Set] it drops
// what came before an error, and keeps the error.
type scrapeOnce struct {
	t         *testing.T
	collector Collector
	err       error
}

func (s *scrapeOnce) Describe(chan<- *prometheus.Desc) {}

func (s *scrapeOnce) Collect(ch chan<- prometheus.Metric) {
	metrics, err := gather(s.t.Context(), s.collector)
	s.err = err
	for _, m := range metrics {
		ch <- m
	}
}

// made returns a collector, failing the test where it could not be made.
func made(t *testing.T) func(Collector, error) Collector {
	t.Helper()
	return func(c Collector, err error) Collector {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// compareExposition compares a whole scrape with the wanted exposition.
func compareExposition(t *testing.T, c Collector, want string) {
	t.Helper()
	scrape := &scrapeOnce{t: t, collector: c}
	if err := testutil.CollectAndCompare(scrape, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if scrape.err != nil {
		t.Errorf("Update: %v", scrape.err)
	}
}

// wantFailure updates a collector that must fail. With a nil want any error
// but [ErrNoData] will do.
func wantFailure(t *testing.T, c Collector, want error) {
	t.Helper()
	metrics, err := gather(t.Context(), c)
	switch {
	case err == nil:
		t.Errorf("no error, but %d metrics", len(metrics))
	case want == nil && errors.Is(err, ErrNoData):
		t.Errorf("error %v hides what is broken", err)
	case want != nil && !errors.Is(err, want):
		t.Errorf("error %v, want %v", err, want)
	}
	if err != nil && strings.Contains(err.Error(), "panicked") {
		t.Error(err)
	}
}

// lintExposition fails on what `promtool check metrics` would complain of.
func lintExposition(t *testing.T, c Collector) {
	t.Helper()
	problems, err := testutil.CollectAndLint(&scrapeOnce{t: t, collector: c})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// thisMachine are the paths of the machine that runs the tests.
func thisMachine() Paths { return Paths{Proc: "/proc", Sys: "/sys", Root: "/"} }

// values returns the samples of one family by their label values, joined by
// spaces.
func values(t *testing.T, c Collector, family string) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	scrape := &scrapeOnce{t: t, collector: c}
	registry.MustRegister(scrape)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if scrape.err != nil {
		t.Fatalf("Update: %v", scrape.err)
	}
	samples := map[string]float64{}
	for _, f := range families {
		if f.GetName() != namespace+"_"+family {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			samples[strings.Join(labels, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return samples
}

func TestLoadOfThisMachine(t *testing.T) {
	c := made(t)(NewLoad(thisMachine()))
	metrics, err := gather(t.Context(), c)
	if errors.Is(err, ErrNoData) {
		t.Skip("this system has no load average")
	}
	if err != nil || len(metrics) != 3 {
		t.Errorf("%d metrics, %v", len(metrics), err)
	}
	lintExposition(t, c)
}
