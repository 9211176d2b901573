package collector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// family is what all samples of a metric have in common.
type family struct {
	// number counts the families, from 0 on.
	number     int
	name, help string
	header     string // the lines HELP and TYPE of the text
	// names are the names of the labels in ascending order, and order is where
	// the values of each are among those of a sample.
	names []string
	order []int

	mu sync.Mutex
	// known are labels by their values. They never change, so that it does not
	// matter which of them are known.
	known map[knownValues]*labels
}

// knownValues are the values of labels in the order in which the metric was
// defined.
type knownValues [4]string

// maxKnown bounds what a family knows: values come and go.
const maxKnown = 1024

var familyCount atomic.Int64

func newFamily(name, help string, kind prometheus.ValueType, labelNames []string) *family {
	f := &family{
		number: int(familyCount.Add(1) - 1), name: name, help: help, header: header(name, help, kind),
		order: make([]int, len(labelNames)), known: make(map[knownValues]*labels),
	}
	for i := range f.order {
		f.order[i] = i
	}
	slices.SortFunc(f.order, func(a, b int) int { return cmp.Compare(labelNames[a], labelNames[b]) })
	for _, at := range f.order {
		f.names = append(f.names, labelNames[at])
	}
	return f
}

// header is what the text format has above the samples of a family.
func header(name, help string, kind prometheus.ValueType) string {
	help = strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help)
	return "# HELP " + name + " " + help + "\n# TYPE " + name + " " + strings.ToLower(kind.ToDTO().String()) + "\n"
}

// labels are the labels of a sample whose values come in the order in which the
// metric was defined. It panics where they are not what was defined, as
// prometheus.MustNewConstMetric does. The values are not kept.
func (f *family) labels(values []string) *labels {
	if len(values) != len(f.names) {
		panic(fmt.Sprintf("%s: %d values for the labels %q", f.name, len(values), f.names))
	}
	var key knownValues
	if len(values) > len(key) {
		return f.newLabels(values)
	}
	copy(key[:], values)
	f.mu.Lock()
	defer f.mu.Unlock()
	made := f.known[key]
	if made == nil {
		made = f.newLabels(values)
		if len(f.known) >= maxKnown {
			clear(f.known)
		}
		f.known[key] = made
	}
	return made
}

func (f *family) newLabels(values []string) *labels {
	pairs := make([]string, 0, 2*len(values))
	for i, at := range f.order {
		if !utf8.ValidString(values[at]) {
			panic(fmt.Sprintf("%s: label %s: %q is not UTF-8", f.name, f.names[i], values[at]))
		}
		pairs = append(pairs, f.names[i], values[at])
	}
	return newLabels(pairs...)
}
