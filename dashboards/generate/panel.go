package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// panel is what panels of every kind have.
type panel struct {
	title, description string
	width, height      uint32
	source             common.DataSourceRef
	unit               string
	noValue            string
	queries            []cog.Builder[variants.Dataquery]
	steps              []dashboard.Threshold // none: the neutral colour
	mappings           []dashboard.ValueMapping
	links              []cog.Builder[dashboard.DashboardLink]
}

// builder is what the SDK's builders of panels share.
type builder[B any] interface {
	Title(string) B
	Description(string) B
	Span(uint32) B
	Height(uint32) B
	Datasource(common.DataSourceRef) B
	Unit(string) B
	NoValue(string) B
	Targets([]cog.Builder[variants.Dataquery]) B
	Thresholds(cog.Builder[dashboard.ThresholdsConfig]) B
	Mappings([]dashboard.ValueMapping) B
	DataLinks([]cog.Builder[dashboard.DashboardLink]) B
}

// dress gives a builder of any kind what the panel says.
func dress[B builder[B]](b B, p panel) B {
	if p.source == (common.DataSourceRef{}) {
		p.source = metrics
	}
	if p.steps == nil {
		p.steps = always(plain)
	}
	b.Title(p.title).Description(p.description).Span(p.width).Height(p.height).
		Datasource(p.source).Unit(p.unit).NoValue(p.noValue).Targets(p.queries).
		Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(p.steps))
	if p.mappings != nil {
		b.Mappings(p.mappings)
	}
	if p.links != nil {
		b.DataLinks(p.links)
	}
	return b
}

// always is one colour for all values.
func always(color string) []dashboard.Threshold { return []dashboard.Threshold{{Color: color}} }

// steps go from good over warn to bad.
func steps(warn, bad float64) []dashboard.Threshold {
	return []dashboard.Threshold{{Color: good}, {Value: &warn, Color: caution}, {Value: &bad, Color: danger}}
}

// anyIs is good at nothing, and the colour from one on.
func anyIs(color string) []dashboard.Threshold {
	return []dashboard.Threshold{{Color: good}, {Value: new(1.0), Color: color}}
}

// now asks for the values of this moment.
func now(refID, expr, legend string) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().RefId(refID).Expr(expr).LegendFormat(legend).Instant().
		Datasource(metrics).EditorMode(prometheus.QueryEditorModeCode)
}

// rows asks for the values of this moment as a table.
func rows(refID, expr string) *prometheus.DataqueryBuilder {
	return now(refID, expr, "").Format(prometheus.PromQueryFormatTable)
}

// history asks for the values over time.
func history(refID, expr, legend string) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().RefId(refID).Expr(expr).LegendFormat(legend).Range().
		Datasource(metrics).EditorMode(prometheus.QueryEditorModeCode)
}

// search asks Loki for lines or for numbers made of them, which a panel does
// once.
func search(expr, legend string) *loki.DataqueryBuilder {
	return loki.NewDataqueryBuilder().RefId("A").Expr(expr).LegendFormat(legend).QueryType("range").
		Datasource(lines).EditorMode(loki.QueryEditorModeCode)
}

// list puts queries into a list.
func list(queries ...cog.Builder[variants.Dataquery]) []cog.Builder[variants.Dataquery] {
	return queries
}

// link is a link from a value.
func link(title, url string, newTab bool) cog.Builder[dashboard.DashboardLink] {
	return dashboard.NewDashboardLinkBuilder(title).Type(dashboard.DashboardLinkTypeLink).Url(url).TargetBlank(newTab)
}

// prometheusQuery is a query to Prometheus that is being built.
type prometheusQuery = prometheus.DataqueryBuilder

// mapping gives mappings of table cells the form that panels take.
func mapping(cells []map[string]any) []dashboard.ValueMapping {
	var list []dashboard.ValueMapping
	for _, cell := range cells {
		results := make(map[string]dashboard.ValueMappingResult)
		for value, shown := range cell["options"].(map[string]any) {
			shown := shown.(map[string]any)
			result := dashboard.ValueMappingResult{Index: new(int32(shown["index"].(int)))}
			if text, ok := shown["text"].(string); ok {
				result.Text = &text
			}
			if color, ok := shown["color"].(string); ok {
				result.Color = &color
			}
			results[value] = result
		}
		list = append(list, dashboard.ValueMapping{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: results}})
	}
	return list
}
