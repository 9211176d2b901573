package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Definition describes one metric family for documentation and tests.
type Definition struct {
	// Collector is the name of the collector that publishes it.
	Collector string
	// Name is the full name, namespace included.
	Name string
	Help string
	Type dto.MetricType
	// Labels are the variable labels, in the order of the samples.
	Labels []string
}

var definitions []Definition

// Definitions lists every metric family of every collector, by name.
func Definitions() []Definition {
	sorted := slices.Clone(definitions)
	slices.SortFunc(sorted, func(a, b Definition) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return sorted
}

// metric is a family whose description was built once.
type metric struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	family *family
}

// define declares a family of a collector. It is called from package
// variables only, so that [Definitions] is complete before main starts.
func define(collector, name, help string, kind prometheus.ValueType, labels ...string) metric {
	declare(collector, name, help, *kind.ToDTO(), labels...)
	return newMetric(name, help, kind, labels...)
}

// newMetric makes a metric that is declared elsewhere, or not at all.
func newMetric(name, help string, kind prometheus.ValueType, labels ...string) metric {
	name = prometheus.BuildFQName(namespace, "", name)
	return metric{desc: prometheus.NewDesc(name, help, labels, nil), kind: kind, family: newFamily(name, help, kind, labels)}
}

// declare declares a family that is published otherwise than sample by sample.
// It is called from package variables only, as define is.
func declare(collector, name, help string, kind dto.MetricType, labels ...string) Definition {
	d := Definition{Collector: collector, Name: prometheus.BuildFQName(namespace, "", name), Help: help, Type: kind, Labels: labels}
	definitions = append(definitions, d)
	return d
}

// counters makes the counters of a family.
func (d *Definition) counters() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.Labels)
}

// send publishes one sample. Label values must be valid UTF-8, and not be
// changed afterwards.
func (m metric) send(ch chan<- prometheus.Metric, value float64, labels ...string) {
	ch <- m.sample(value, labels)
}

func (m metric) sample(value float64, labels []string) *sample {
	return &sample{m, m.family.labels(labels), value}
}
