package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// tag is on every dashboard; it is how they link to each other.
const tag = "server-monitor"

// page is one dashboard.
type page struct {
	name        string // of the file
	title       string
	description string
	from        string // how far it looks back
	variables   []cog.Builder[dashboard.VariableModel]
	links       []cog.Builder[dashboard.DashboardLink]
	annotations []cog.Builder[dashboard.AnnotationQuery]
	panels      []cog.Builder[dashboard.Panel]
}

// pages are all dashboards.
func pages() []page {
	return []page{overview(), processes(), services(), logsPage(), fleet()}
}

// build makes the dashboard, with the skin where there is one. Both bear the
// same uid, which links and alerts know: a Grafana has either.
func (p *page) build(s *skin) (dashboard.Dashboard, error) {
	b := dashboard.NewDashboardBuilder(p.title).
		Uid(tag+"-"+p.name).Description(p.description).Tags([]string{tag}).Editable().
		Timezone("browser").Time(p.from, "now").Refresh("30s").
		Timepicker(dashboard.NewTimePickerBuilder().RefreshIntervals([]string{"30s", "1m", "5m", "15m", "1h"})).
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Variables(p.variables).
		Link(dashboard.NewDashboardLinkBuilder("").Type(dashboard.DashboardLinkTypeDashboards).Tags([]string{tag}).
			IncludeVars(true).KeepTime(true))
	for _, link := range p.links {
		b.Link(link)
	}
	for _, a := range p.annotations {
		b.Annotation(a)
	}
	for _, panel := range p.panels {
		b.WithPanel(panel)
	}
	built, err := b.Build()
	if err != nil {
		return built, err
	}
	number(&built)
	// The SDK puts links into a menu that nobody opens; without a place they are
	// beside the variables.
	for i := range built.Links {
		built.Links[i].Placement = nil
	}
	if s == nil {
		return built, nil
	}
	err = s.wear(&built)
	return built, err
}

// version is the Grafana whose form of panels this is. A later one brings them
// up to its own.
const version = "12.4.0"

// number gives every panel an id, which the addresses of panels bear, and the
// version of its form.
func number(d *dashboard.Dashboard) {
	for i := range d.Panels {
		id := uint32(i + 1)
		d.Panels[i].Panel.Id = &id
		d.Panels[i].Panel.PluginVersion = new(version)
	}
}
