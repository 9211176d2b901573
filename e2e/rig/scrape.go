//go:build e2e

package rig

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Labels are labels and their values.
type Labels map[string]string

// Scrape is what one scrape has brought, by the names of metrics.
type Scrape map[string]*dto.MetricFamily

// ParseScrape reads the text of a scrape, and refuses one that holds a series
// twice or a metric whose series have different labels.
func ParseScrape(text string) (Scrape, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	var problems []error
	for name, family := range families {
		problems = append(problems, checkFamily(name, family))
	}
	return families, errors.Join(problems...)
}

func checkFamily(name string, family *dto.MetricFamily) error {
	if family.GetHelp() == "" {
		return fmt.Errorf("%s: no help text", name)
	}
	seen := make(map[string]bool)
	for _, m := range family.Metric {
		series := seriesOf(m)
		if seen[series] {
			return fmt.Errorf("%s{%s}: twice in one scrape", name, series)
		}
		seen[series] = true
		if names, first := labelNames(m), labelNames(family.Metric[0]); !slices.Equal(names, first) {
			return fmt.Errorf("%s: labels %v beside %v", name, names, first)
		}
	}
	return nil
}

// seriesOf writes the labels of a metric in a fixed order.
func seriesOf(m *dto.Metric) string {
	labels := LabelsOf(m)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&text, "%s=%q,", name, labels[name])
	}
	return text.String()
}

// labelNames lists the labels of a metric in alphabetical order.
func labelNames(m *dto.Metric) []string { return slices.Sorted(maps.Keys(LabelsOf(m))) }

// LabelsOf returns the labels of a metric.
func LabelsOf(m *dto.Metric) Labels {
	labels := make(Labels, len(m.Label))
	for _, pair := range m.Label {
		labels[pair.GetName()] = pair.GetValue()
	}
	return labels
}

// Value is the number of a gauge, counter or untyped metric.
func Value(m *dto.Metric) float64 {
	switch {
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Counter != nil:
		return m.Counter.GetValue()
	}
	return m.GetUntyped().GetValue()
}

// Find returns the series of a metric that bear all of the labels.
func (s Scrape) Find(name string, labels Labels) []*dto.Metric {
	var found []*dto.Metric
	for _, m := range s[name].GetMetric() {
		has := LabelsOf(m)
		matches := true
		for label, value := range labels {
			matches = matches && has[label] == value
		}
		if matches {
			found = append(found, m)
		}
	}
	return found
}

// Value returns the value of the only series that bears the labels.
func (s Scrape) Value(name string, labels Labels) (float64, error) {
	found := s.Find(name, labels)
	if len(found) != 1 {
		return 0, fmt.Errorf("%d series of %s with %v, want 1", len(found), name, labels)
	}
	return Value(found[0]), nil
}

// Signatures lists the metrics whose names begin with a prefix, a line each:
// name, type and the names of labels.
func (s Scrape) Signatures(prefix string) []string {
	var lines []string
	for name, family := range s {
		if strings.HasPrefix(name, prefix) {
			kind := strings.ToLower(family.GetType().String())
			lines = append(lines, strings.TrimSpace(name+" "+kind+" "+strings.Join(labelNames(family.Metric[0]), ",")))
		}
	}
	slices.Sort(lines)
	return lines
}
