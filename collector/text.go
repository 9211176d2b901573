package collector

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// TextWriter writes metrics as Prometheus reads them.
type TextWriter interface {
	// AppendText adds the metrics in the text format 0.0.4 of Prometheus, with
	// those of other places that have no family in common with them. Where some
	// cannot be gathered, the text is that of the others.
	AppendText(text []byte, others ...prometheus.Gatherer) ([]byte, error)
}

// AppendText implements [TextWriter]. Of a series all but its value is text that
// was written once and is kept, and what it takes to put the samples in order is
// used again.
func (s selection) AppendText(text []byte, others ...prometheus.Gatherer) ([]byte, error) {
	p := pages.Get().(*page)
	defer p.release()
	s.collect(p.add)
	gathered, err := append(Gatherers{p.others}, others...).Gather()
	for _, f := range gathered {
		p.parts = append(p.parts, part{name: f.GetName(), gathered: f})
	}
	p.arrange()
	for i := range p.parts {
		var failed error
		if text, failed = p.parts[i].appendTo(text); failed != nil {
			err = cmp.Or(err, failed)
		}
	}
	return text, err
}

// page is what it takes to write one scrape.
type page struct {
	collected
	next    []int     // where the next sample of each family goes, by its number
	ordered []*sample // the samples, family by family
	parts   []part
}

// part is one family on a page, as samples or as it was gathered elsewhere.
type part struct {
	name     string
	samples  []*sample
	gathered *dto.MetricFamily
}

var pages = sync.Pool{New: func() any { return new(page) }}

// release gives a page back, without what it has held.
func (p *page) release() {
	clear(p.samples)
	clear(p.others)
	clear(p.ordered)
	clear(p.parts)
	p.samples, p.others, p.ordered, p.parts = p.samples[:0], p.others[:0], p.ordered[:0], p.parts[:0]
	pages.Put(p)
}

// arrange puts the samples of each family side by side, in the order in which
// they came, and the families into the order of their names.
func (p *page) arrange() {
	p.next = slices.Grow(p.next[:0], int(familyCount.Load()))[:familyCount.Load()]
	clear(p.next)
	for _, s := range p.samples {
		p.next[s.family.number]++
	}
	p.ordered = slices.Grow(p.ordered[:0], len(p.samples))[:len(p.samples)]
	at := 0
	for number, n := range p.next {
		p.next[number] = at
		if n > 0 {
			p.parts = append(p.parts, part{samples: p.ordered[at : at+n]})
			at += n
		}
	}
	for _, s := range p.samples {
		p.ordered[p.next[s.family.number]] = s
		p.next[s.family.number]++
	}
	for i := range p.parts {
		if one := &p.parts[i]; one.gathered == nil {
			one.name = one.samples[0].family.name
		}
	}
	slices.SortFunc(p.parts, func(a, b part) int { return strings.Compare(a.name, b.name) })
}

// appendTo writes one family.
func (p *part) appendTo(text []byte) ([]byte, error) {
	if p.gathered != nil {
		out := bytes.NewBuffer(text)
		if _, err := expfmt.MetricFamilyToText(out, p.gathered); err != nil {
			return text, err
		}
		return out.Bytes(), nil
	}
	text = append(text, p.samples[0].family.header...)
	for _, s := range p.samples {
		text = append(text, p.name...)
		text = append(text, s.labels.text...)
		text = append(text, ' ')
		text = appendValue(text, s.value)
		text = append(text, '\n')
	}
	return text, nil
}

// appendValue writes a number as package expfmt does.
func appendValue(text []byte, value float64) []byte {
	if value == 0 { // also where it is negative
		return append(text, '0')
	}
	return strconv.AppendFloat(text, value, 'g', -1, 64)
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// labelText writes labels.
func labelText(namesAndValues []string) string {
	if len(namesAndValues) == 0 {
		return ""
	}
	var text strings.Builder
	for i := 0; i < len(namesAndValues); i += 2 {
		text.WriteByte("{,"[min(i, 1)])
		text.WriteString(namesAndValues[i])
		text.WriteString(`="`)
		_, _ = labelEscapes.WriteString(&text, namesAndValues[i+1]) // a builder takes all
		text.WriteByte('"')
	}
	text.WriteByte('}')
	return text.String()
}
