package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/logs"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statushistory"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// lastValue reads the last value of each series.
func lastValue() cog.Builder[common.ReduceDataOptions] {
	return common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}).Values(false)
}

// byThreshold colours values by the steps of the panel.
func byThreshold() cog.Builder[dashboard.FieldColor] {
	return dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)
}

// figure shows single numbers in large type.
func figure(p panel) *stat.PanelBuilder {
	return dress(stat.NewPanelBuilder(), p).
		ColorScheme(byThreshold()).ReduceOptions(lastValue()).
		ColorMode(common.BigValueColorModeValue).GraphMode(common.BigValueGraphModeNone).
		JustifyMode(common.BigValueJustifyModeCenter).Orientation(common.VizOrientationAuto)
}

// sizes are those of names and values of figures that should be alike beside
// each other.
func sizes(name, value float64) cog.Builder[common.VizTextDisplayOptions] {
	return common.NewVizTextDisplayOptionsBuilder().TitleSize(name).ValueSize(value)
}

// bars shows one bar a series, lit in segments like a display of its time.
func bars(p panel) *bargauge.PanelBuilder {
	return dress(bargauge.NewPanelBuilder(), p).
		ColorScheme(byThreshold()).ReduceOptions(lastValue()).
		DisplayMode(common.BarGaugeDisplayModeLcd).Orientation(common.VizOrientationHorizontal).
		ValueMode(common.BarGaugeValueModeColor).ShowUnfilled(true).Min(0)
}

// curves shows series over time in steps, without smoothing.
func curves(p panel) *timeseries.PanelBuilder {
	return dress(timeseries.NewPanelBuilder(), p).Min(0).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdPaletteClassic)).
		LineInterpolation(common.LineInterpolationStepAfter).LineWidth(2).FillOpacity(12).
		ShowPoints(common.VisibilityModeNever).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).
			DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).
			Sort(common.SortOrderDescending))
}

// stacked shows amounts over time as bars on each other.
func stacked(p panel) *timeseries.PanelBuilder {
	return curves(p).DrawStyle(common.GraphDrawStyleBars).FillOpacity(80).LineWidth(0).
		Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
}

// dots shows a state per series and interval as a cell.
func dots(p panel) *statushistory.PanelBuilder {
	return dress(statushistory.NewPanelBuilder(), p).ColorScheme(byThreshold()).
		ShowValue(common.VisibilityModeNever).RowHeight(0.8).ColWidth(0.8).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeSingle).Sort(common.SortOrderNone)).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(false).
			DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom))
}

// logLines shows lines of logs, the newest first.
func logLines(p panel) *logs.PanelBuilder {
	p.source = lines
	return dress(logs.NewPanelBuilder(), p).
		ShowTime(true).WrapLogMessage(true).EnableLogDetails(true).
		SortOrder(common.LogsSortOrderDescending).DedupStrategy(common.LogsDedupStrategyNone)
}

// colored gives the series of names their colours.
func colored(b *timeseries.PanelBuilder, colors map[string]string, order ...string) *timeseries.PanelBuilder {
	for _, name := range order {
		b.OverrideByName(name, []dashboard.DynamicConfigValue{
			{Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": colors[name]}},
		})
	}
	return b
}

// verdictColors are the colours of verdicts and severities.
var verdictColors = map[string]string{"safe": good, "caution": caution, "danger": danger}
