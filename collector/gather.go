package collector

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Gather implements [prometheus.Gatherer]. It puts the samples of this package
// into their families by itself: a registry would build, check and hash each of
// thousands anew in every scrape, which costs more than to judge the processes.
// What makes them consistent is tested with a registry instead. Metrics of other
// kinds go through one.
func (s selection) Gather() ([]*dto.MetricFamily, error) {
	var all collected
	s.collect(all.add)
	others, err := all.others.Gather()
	return sorted(append(all.families(), others...)), err
}

// Gatherers gathers from several places that have no family in common.
type Gatherers []prometheus.Gatherer

// Gather implements [prometheus.Gatherer].
func (g Gatherers) Gather() ([]*dto.MetricFamily, error) {
	var families []*dto.MetricFamily
	for _, one := range g {
		some, err := one.Gather()
		families = append(families, some...)
		if err != nil {
			return sorted(families), err
		}
	}
	return sorted(families), nil
}

func sorted(families []*dto.MetricFamily) []*dto.MetricFamily {
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return families
}

// collected is what the collectors of one scrape have sent.
type collected struct {
	samples []*sample
	others  metrics
}

func (c *collected) add(list []prometheus.Metric) {
	c.samples = slices.Grow(c.samples, len(list))
	for _, m := range list {
		if one, ok := m.(*sample); ok {
			c.samples = append(c.samples, one)
		} else {
			c.others = append(c.others, m)
		}
	}
}

// families puts the samples into their families.
func (c *collected) families() []*dto.MetricFamily {
	sizes := make(map[*family]int, len(definitions))
	for _, one := range c.samples {
		sizes[one.family]++
	}
	made := make(map[*family]*dto.MetricFamily, len(sizes))
	families := make([]*dto.MetricFamily, 0, len(sizes)+16)
	written := newWriter(len(c.samples))
	for _, one := range c.samples {
		f := made[one.family]
		if f == nil {
			f = &dto.MetricFamily{
				Name: &one.family.name, Help: &one.family.help, Type: one.kind.ToDTO(),
				Metric: make([]*dto.Metric, 0, sizes[one.family]),
			}
			made[one.family] = f
			families = append(families, f)
		}
		f.Metric = append(f.Metric, written.write(one))
	}
	return families
}

// writer writes samples into memory that it takes at once for all of them.
type writer struct {
	metrics  []dto.Metric
	gauges   []dto.Gauge
	counters []dto.Counter
}

// newWriter makes a writer of at most so many samples.
func newWriter(n int) *writer {
	return &writer{metrics: make([]dto.Metric, n), gauges: make([]dto.Gauge, n), counters: make([]dto.Counter, n)}
}

func (w *writer) write(s *sample) *dto.Metric {
	out := &w.metrics[0]
	w.metrics = w.metrics[1:]
	out.Label = s.labels.pairs
	if s.kind == prometheus.CounterValue {
		out.Counter = &w.counters[0]
		w.counters = w.counters[1:]
		out.Counter.Value = &s.value
	} else {
		out.Gauge = &w.gauges[0]
		w.gauges = w.gauges[1:]
		out.Gauge.Value = &s.value
	}
	return out
}

// metrics are metrics of a registry for one scrape.
type metrics []prometheus.Metric

// Describe implements [prometheus.Collector]; see selection.
func (metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (m metrics) Collect(ch chan<- prometheus.Metric) {
	for _, one := range m {
		ch <- one
	}
}

// Gather implements [prometheus.Gatherer].
func (m metrics) Gather() ([]*dto.MetricFamily, error) {
	if len(m) == 0 {
		return nil, nil
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m)
	return registry.Gather()
}
