package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// column is one column of a table, or a field that links of others need.
type column struct {
	field string // as the queries and transformations before call it
	title string
	width int    // in pixels; 0 takes what is left
	unit  string // needed by numbers; text has none
	// cell is how the value is drawn, plain text by default.
	cell     map[string]any
	steps    []dashboard.Threshold
	max      float64 // of a gauge
	mappings []map[string]any
	link     *fieldLink
	hidden   bool   // there for links only
	align    string // else numbers are at the right, text at the left
	decimals bool   // one digit behind the point, not as many as there are
	tooltip  string // title of the column that is shown at the pointer
	wrap     bool
}

// fieldLink is where a click on a cell leads.
type fieldLink struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank"`
}

// The ways to draw a cell.
var (
	coloredText = map[string]any{"type": "color-text"}
	background  = map[string]any{"type": "color-background", "mode": "basic"}
	lcd         = map[string]any{"type": "gauge", "mode": "lcd", "valueDisplayMode": "text"}
	pills       = map[string]any{"type": "pill"}
)

// grid makes a table of columns. Transformations bring the fields about;
// then columns are chosen, ordered and named.
func grid(p panel, columns []column, sorting []string, transformations ...dashboard.DataTransformerConfig) *table.PanelBuilder {
	// Without a unit, Grafana takes a pid for a number and rounds it to thousands.
	p.unit = "string"
	b := dress(table.NewPanelBuilder(), p).ShowHeader(true).CellHeight(common.TableCellHeightSm).
		ColorScheme(byThreshold())
	b.Transformations(append(transformations, choose(columns)...))
	for _, c := range columns {
		b.OverrideByName(c.title, c.properties())
	}
	var order []cog.Builder[common.TableSortByFieldState]
	for _, title := range sorting {
		order = append(order, common.NewTableSortByFieldStateBuilder().DisplayName(title).Desc(true))
	}
	return b.SortBy(order)
}

// choose keeps, orders and names the columns.
func choose(columns []column) []dashboard.DataTransformerConfig {
	var names []string
	index, titles := map[string]int{}, map[string]string{}
	for i, c := range columns {
		names = append(names, c.field)
		index[c.field] = i
		titles[c.field] = c.title
	}
	return []dashboard.DataTransformerConfig{
		{Id: "filterFieldsByName", Options: map[string]any{"include": map[string]any{"names": names}}},
		{Id: "organize", Options: map[string]any{
			"indexByName": index, "renameByName": titles, "excludeByName": map[string]any{},
		}},
	}
}

// properties are the settings of the column.
func (c *column) properties() []dashboard.DynamicConfigValue {
	// What the panel shows where it has no rows would otherwise be in each empty cell.
	// Signs to filter by a value would lie over the links of a cell.
	list := []dashboard.DynamicConfigValue{{Id: "noValue", Value: "-"}, {Id: "filterable", Value: false}}
	add := func(id string, value any) {
		list = append(list, dashboard.DynamicConfigValue{Id: id, Value: value})
	}
	if c.width > 0 {
		add("custom.width", c.width)
	}
	if c.unit != "" {
		add("unit", c.unit)
	}
	if c.cell != nil {
		add("custom.cellOptions", c.cell)
	}
	if c.align != "" {
		add("custom.align", c.align)
	}
	if c.decimals {
		add("decimals", 1)
	}
	if c.tooltip != "" {
		add("custom.tooltip", map[string]any{"field": c.tooltip, "placement": "right"})
	}
	if c.wrap {
		add("custom.wrapText", true)
	}
	if c.steps != nil {
		add("thresholds", map[string]any{"mode": "absolute", "steps": c.steps})
	}
	if c.max > 0 {
		add("min", 0)
		add("max", c.max)
	}
	if c.mappings != nil {
		add("mappings", c.mappings)
	}
	if c.link != nil {
		add("links", []*fieldLink{c.link})
	}
	if c.hidden {
		add("custom.hideFrom.viz", true)
	}
	return list
}

// answers maps values to words and colours. Pairs are value, then what it is
// shown as: "text|colour"; the order is kept.
func answers(pairs ...string) []map[string]any {
	options := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		result := split(pairs[i+1])
		result["index"] = i / 2
		options[pairs[i]] = result
	}
	return []map[string]any{{"type": "value", "options": options}}
}

// orUnknown adds how a cell looks where there is no value, which would
// otherwise have the colour of the lowest step.
func orUnknown(mappings []map[string]any) []map[string]any {
	return append(mappings, map[string]any{"type": "special", "options": map[string]any{
		"match": "null+nan", "result": map[string]any{"text": "-", "color": "#2b2b2b", "index": len(mappings)},
	}})
}

// patterns maps values by regular expressions.
func patterns(pairs ...string) []map[string]any {
	var list []map[string]any
	for i := 0; i+1 < len(pairs); i += 2 {
		result := split(pairs[i+1])
		result["index"] = i / 2
		list = append(list, map[string]any{
			"type": "regex", "options": map[string]any{"pattern": pairs[i], "result": result},
		})
	}
	return list
}

// split parts "text|colour"; either may be empty.
func split(shown string) map[string]any {
	result := map[string]any{}
	for i := len(shown) - 1; i >= 0; i-- {
		if shown[i] == '|' {
			if color := shown[i+1:]; color != "" {
				result["color"] = color
			}
			shown = shown[:i]
			break
		}
	}
	if shown != "" {
		result["text"] = shown
	}
	return result
}

// gather makes one row of the rows that agree in key, with all the different
// values of a field.
func gather(refID, key, field string) dashboard.DataTransformerConfig {
	return dashboard.DataTransformerConfig{
		Id:     "groupBy",
		Filter: &dashboard.MatcherConfig{Id: "byRefId", Options: refID},
		Options: map[string]any{"fields": map[string]any{
			key:   map[string]any{"operation": "groupby", "aggregations": []string{}},
			field: map[string]any{"operation": "aggregate", "aggregations": []string{"uniqueValues"}},
		}},
	}
}

// gathered is the name of a field that gather made.
func gathered(field string) string { return field + " (uniqueValues)" }

// join puts the rows of all queries beside each other that agree in a field.
func join(key string) dashboard.DataTransformerConfig {
	return dashboard.DataTransformerConfig{Id: "joinByField", Options: map[string]any{"byField": key, "mode": "outer"}}
}

// fieldOf names the value of a query among several of a table.
func fieldOf(refID string) string { return fmt.Sprintf("Value #%s", refID) }
