package collector

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
)

// familiesBy gathers from one collector.
func familiesBy(t *testing.T, c prometheus.Collector) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string]*dto.MetricFamily)
	for _, f := range all {
		by[f.GetName()] = f
	}
	return by
}

// TestSelfLikeTheLibrary compares with the collector of the client library, for
// all but what the machine as a whole does.
func TestSelfLikeTheLibrary(t *testing.T) {
	own, library := familiesBy(t, NewSelf()), familiesBy(t, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for name, want := range library {
		if strings.HasPrefix(name, "process_network_") {
			continue
		}
		got := own[name]
		if got == nil {
			t.Errorf("no %s", name)
			continue
		}
		if got.GetHelp() != want.GetHelp() || got.GetType() != want.GetType() {
			t.Errorf("%s: %s %s, want %s %s", name, got.GetType(), got.GetHelp(), want.GetType(), want.GetHelp())
		}
		a, b := valueOfOne(got), valueOfOne(want)
		if math.Abs(a-b) > 0.2*math.Max(math.Abs(b), 1) { // it is read a moment later
			t.Errorf("%s: %v, want %v", name, a, b)
		}
	}
	if len(own) != 7 {
		t.Errorf("%d families", len(own))
	}
}

func valueOfOne(f *dto.MetricFamily) float64 {
	return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
}

// TestSelfCountsDescriptors opens some more.
func TestSelfCountsDescriptors(t *testing.T) {
	before, err := countOwnFDs()
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
	}
	after, err := countOwnFDs()
	if err != nil || after < before+90 || after > before+110 { // others of the test may come and go
		t.Errorf("%d descriptors, %d before: %v", after, before, err)
	}
}
