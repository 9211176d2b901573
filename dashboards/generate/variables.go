package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The data sources that the reader of a dashboard chooses.
var (
	metrics = common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}
	lines   = common.DataSourceRef{Type: new("loki"), Uid: new("${loki_datasource}")}
)

// sources are the variables of the data sources.
func sources() []cog.Builder[dashboard.VariableModel] {
	return []cog.Builder[dashboard.VariableModel]{
		dashboard.NewDatasourceVariableBuilder("datasource").Label("Prometheus").Type("prometheus").
			Description("Where the metrics of server-monitor are."),
		dashboard.NewDatasourceVariableBuilder("loki_datasource").Label("Loki").Type("loki").
			Description("Where the logs of the servers are."),
	}
}

// job is the choice of scrape jobs.
func job() cog.Builder[dashboard.VariableModel] {
	return choice("job", "Job", "Scrape job of server-monitor.", metrics,
		"label_values(server_monitor_exporter_build_info, job)").
		Multi(true).IncludeAll(true).AllValue(".+").Current(all())
}

// servers is the choice of any number of servers.
func servers() cog.Builder[dashboard.VariableModel] {
	return instance().Multi(true).IncludeAll(true).AllValue(".+").Current(all())
}

// server is the choice of one server.
func server() cog.Builder[dashboard.VariableModel] { return instance() }

func instance() *dashboard.QueryVariableBuilder {
	return choice("instance", "Server", "Server as Prometheus calls it.", metrics,
		`label_values(server_monitor_exporter_build_info{job=~"$job"}, instance)`)
}

// hosts tells by which names the logs of the chosen servers go: Alloy labels
// them with the host, which is the instance without its port.
func hosts() cog.Builder[dashboard.VariableModel] {
	return choice("host", "Host", "Host of the logs: the server without its port.", metrics,
		`label_values(server_monitor_exporter_build_info{job=~"$job", instance=~"$instance"}, instance)`).
		Regex(`/^(\[[^\]]+\]|[^:]+)/`).Multi(true).IncludeAll(true).Current(all()).Hide(dashboard.VariableHideHideVariable)
}

// console is where the console of the operator listener is.
func console() cog.Builder[dashboard.VariableModel] {
	return dashboard.NewTextBoxVariableBuilder("console").Label("Console").
		Description("Base address of server-monitor's console, for links; $1 in it is the host of the server, as in https://$1/console.").
		DefaultValue(dashboard.StringOrMap{String: new("http://localhost:10043")}).
		Current(option("http://localhost:10043", "http://localhost:10043"))
}

// choice is a variable with the values that a label has in a data source.
func choice(name, label, description string, source common.DataSourceRef, query string) *dashboard.QueryVariableBuilder {
	model := dashboard.StringOrMap{String: &query}
	if source == lines {
		model = dashboard.StringOrMap{Map: map[string]any{"type": 1, "label": name, "stream": query, "refId": "values"}}
	}
	return dashboard.NewQueryVariableBuilder(name).Label(label).Description(description).
		Datasource(source).Query(model).Definition(query).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalCaseInsensitiveAsc)
}

func all() dashboard.VariableOption { return option("All", "$__all") }

func option(text, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Selected: new(true),
		Text:     dashboard.StringOrArrayOfString{String: &text},
		Value:    dashboard.StringOrArrayOfString{String: &value},
	}
}

// kept is what a link to another dashboard takes along: where the data and the
// console are, and the time. Without it the other one would begin anew.
const kept = "${datasource:queryparam}&${loki_datasource:queryparam}&${job:queryparam}&${console:queryparam}&${__url_time_range}"

// toConsole is the link from a dashboard to the console.
func toConsole() cog.Builder[dashboard.DashboardLink] {
	return dashboard.NewDashboardLinkBuilder("Console").Type(dashboard.DashboardLinkTypeLink).
		Url("$console/").Icon("external link").TargetBlank(true).
		Tooltip("server-monitor's own console: the same live, and where processes are ended")
}
