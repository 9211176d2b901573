package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Definition describes one metric family for documentation and tests.
type Definition struct {
	// Collector is the name of the collector that publishes it.
	Collector string
	// Name is the full name, namespace included.
	Name string
	Help string
	Type prometheus.ValueType
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
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// define declares a family of a collector. It is called from package
// variables only, so that [Definitions] is complete before main starts.
func define(collector, name, help string, kind prometheus.ValueType, labels ...string) metric {
	full := prometheus.BuildFQName(namespace, "", name)
	definitions = append(definitions, Definition{Collector: collector, Name: full, Help: help, Type: kind, Labels: labels})
	return metric{desc: prometheus.NewDesc(full, help, labels, nil), kind: kind}
}

// send publishes one sample. Label values must be valid UTF-8.
func (m metric) send(ch chan<- prometheus.Metric, value float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
}
