package collector

import (
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"server-monitor/internal/process"
)

// labels are the label pairs of a series, ordered by name, and the same as text.
// They are built once and shared by all samples of the series: nobody changes
// them.
type labels struct {
	pairs []*dto.LabelPair
	text  string // {name="value",...}, empty without labels
}

// newLabels makes labels of names and values that follow one another, the
// names in ascending order.
func newLabels(namesAndValues ...string) *labels {
	pairs := make([]dto.LabelPair, len(namesAndValues)/2)
	made := &labels{pairs: make([]*dto.LabelPair, len(pairs)), text: labelText(namesAndValues)}
	for i := range pairs {
		pairs[i].Name, pairs[i].Value = &namesAndValues[2*i], &namesAndValues[2*i+1]
		made.pairs[i] = &pairs[i]
	}
	return made
}

// sample is one value of a series with labels that are at hand already, where
// [metric.send] would check and build them anew for each of thousands.
type sample struct {
	metric
	labels *labels
	value  float64
}

// Desc implements [prometheus.Metric].
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write implements [prometheus.Metric]. A sample may be written for several
// scrapes at once.
func (s *sample) Write(out *dto.Metric) error {
	out.Label = s.labels.pairs
	if s.kind == prometheus.CounterValue {
		out.Counter = &dto.Counter{Value: &s.value}
	} else {
		out.Gauge = &dto.Gauge{Value: &s.value}
	}
	return nil
}

// maxLabel bounds the value of a label, in bytes.
const maxLabel = 256

// label makes text that anybody may have chosen fit to be the value of a label.
func label(text string) string {
	const ellipsis = "…"
	text = process.Printable(text)
	if len(text) <= maxLabel {
		return text
	}
	end := maxLabel - len(ellipsis)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
