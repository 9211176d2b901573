package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"server-monitor/internal/resources"
)

// fleet is all servers, the worst first. It asks for much of many servers, and
// so reads the recording rules of alerts/rules.
func fleet() page {
	return page{
		name: "fleet", title: "Server Monitor / Fleet", from: "now-6h",
		description: "All servers, the worst first. Needs the recording rules of alerts/rules.",
		variables:   append(sources(), job(), servers(), console()),
		links:       []cog.Builder[dashboard.DashboardLink]{toConsole()},
		panels: []cog.Builder[dashboard.Panel]{
			banner("FLEET", "All servers, the worst first."),
			fleetFigures(), alertTable(), fleetTable(),
			verdictByServer(), busiest("CPU by server", "How busy the processors of each server are, averaged over 5 minutes. The ten busiest.",
				"instance:server_monitor_cpu_usage:ratio_rate5m"),
			busiest("Memory by server", "How much of its memory each server uses. The ten fullest.", "instance:server_monitor_memory_usage:ratio"),
			reachability(),
		},
	}
}

// fleetFigures count servers and what is wrong with them.
func fleetFigures() cog.Builder[dashboard.Panel] {
	return figure(panel{
		title: "Servers", width: 10, height: 8, unit: "short", noValue: noServer,
		description: "Servers that answer, those that do not, those with a dangerous process, failed services, and policies in use, which should be one.",
		queries: list(
			now("A", `count(server_monitor_exporter_build_info{`+chosen+`})`, "UP"),
			now("B", `sum(up{`+chosen+`} == bool 0)`, "DOWN"),
			now("C", `sum(instance:server_monitor_processes_danger:sum{`+chosen+`} > bool 0)`, "IN DANGER"),
			now("D", `sum(instance:server_monitor_processes_danger:sum{`+chosen+`})`, "🔴 PROCESSES"),
			now("E", `sum(instance:server_monitor_services_bad:count{`+chosen+`})`, "BAD SERVICES"),
			now("F", `count(count by (version) (server_monitor_policy_info{`+chosen+`}))`, "POLICIES"),
		),
		steps: anyIs(danger),
	}).TextMode(common.BigValueTextModeValueAndName).
		OverrideByName("UP", stepsOf(always(good))).
		OverrideByName("POLICIES", stepsOf([]dashboard.Threshold{{Color: good}, {Value: new(2.0), Color: caution}}))
}

// alertTable lists the alerts that fire.
func alertTable() cog.Builder[dashboard.Panel] {
	return grid(panel{
		title: "Alerts", width: 14, height: 8, noValue: "No alert is firing",
		description: "Alerts of server-monitor that fire now, the most severe first.",
		queries: list(rows("A", `label_replace(max by (alertname, severity, job, instance, name) (
  3 * ALERTS{`+chosen+`, alertname=~"ServerMonitor.+", alertstate="firing", severity="critical"}
  or 2 * ALERTS{`+chosen+`, alertname=~"ServerMonitor.+", alertstate="firing", severity="warning"}
  or ALERTS{`+chosen+`, alertname=~"ServerMonitor.+", alertstate="firing", severity="info"}
), "alertname", "$1", "alertname", "ServerMonitor(.+)")`)),
	}, []column{
		{field: "Value", title: "Severity", width: 120, unit: "none", cell: background, align: "center", mappings: answers("3", "🔴 CRITICAL|"+danger, "2", "🟡 WARNING|"+caution, "1", "🔵 INFO|#7cc7ff")},
		{field: "alertname", title: "Alert"},
		{field: "name", title: "About", width: 130},
		{field: "instance", title: "Server", width: 125, link: toOverview()},
	}, []string{"Severity"})
}

// toOverview leads from the name of a server to its page.
func toOverview() *fieldLink {
	return &fieldLink{"Overview of this server", `/d/server-monitor-overview?var-instance=${__data.fields.Server}&` + kept, false}
}

// fleetTable is one row a server, and one for each that does not answer.
func fleetTable() cog.Builder[dashboard.Panel] {
	const key = `"key", "/", "job", "instance"`
	with := func(vector string) string { return "max by (key) (label_join(" + vector + ", " + key + "))" }
	ratio := func(refID, title string) column {
		return column{field: fieldOf(refID), title: title, width: 125, decimals: true, unit: "percentunit", cell: lcd, steps: steps(resources.WarnRatio, resources.BadRatio), max: 1}
	}
	// A server that does not answer comes first, then danger, then failed services, then caution.
	worst := `1e6 * (up{` + chosen + `} == bool 0)
    + on (job, instance) group_left () (
      1e4 * max by (job, instance) (instance:server_monitor_processes_danger:sum{` + chosen + `})
      + 100 * max by (job, instance) (instance:server_monitor_services_bad:count{` + chosen + `})
      + max by (job, instance) (instance:server_monitor_processes_caution:sum{` + chosen + `}))
    or 1e6 * (up{` + chosen + `} == bool 0)`
	return grid(panel{
		title: "All servers", width: 24, height: 10, noValue: noServer,
		description: "Every server, the worst first: one that does not answer, then dangerous processes, then bad services, then processes to be looked at. Click one for its page.",
		queries: list(
			rows("A", `max by (key, job, instance) (label_join(`+worst+`, `+key+`))`),
			rows("B", with(`up{`+chosen+`}`)),
			rows("C", with(`instance:server_monitor_processes_danger:sum{`+chosen+`}`)),
			rows("D", with(`instance:server_monitor_processes_caution:sum{`+chosen+`}`)),
			rows("E", with(`instance:server_monitor_services_bad:count{`+chosen+`}`)),
			rows("F", with(`instance:server_monitor_cpu_usage:ratio_rate5m{`+chosen+`}`)),
			rows("G", with(`instance:server_monitor_memory_usage:ratio{`+chosen+`}`)),
			rows("H", with(`mountpoint:server_monitor_filesystem_usage:ratio{`+chosen+`}`)),
			rows("I", with(`time() - server_monitor_boot_time_seconds{`+chosen+`}`)),
			rows("J", `max by (key, version) (label_join(server_monitor_policy_info{`+chosen+`}, `+key+`))`),
		),
	}, []column{
		{field: fieldOf("B"), title: "Up", width: 60, unit: "none", align: "center", mappings: answers("1", "🟢|"+good, "0", "🔴|"+danger)},
		{field: "instance", title: "Server", link: toOverview()},
		{field: fieldOf("C"), title: "Danger", width: 80, unit: "none", cell: background, align: "center", steps: anyIs(danger), mappings: orUnknown(nil)},
		{field: fieldOf("D"), title: "Caution", width: 80, unit: "none", cell: coloredText, align: "center", steps: anyIs(caution)},
		{field: fieldOf("E"), title: "Bad services", width: 110, unit: "none", cell: coloredText, align: "center", steps: anyIs(danger)},
		ratio("F", "CPU"), ratio("G", "Memory"), ratio("H", "Fullest disk"),
		{field: fieldOf("I"), title: "Uptime", width: 100, unit: "dtdurations"},
		{field: "version", title: "Policy", width: 120},
		{field: "job", title: "Job", width: 130},
	}, nil, join("key"), dashboard.DataTransformerConfig{
		Id: "sortBy", Options: map[string]any{"sort": []map[string]any{{"field": fieldOf("A"), "desc": true}}},
	})
}

// verdictByServer is the number of dangerous processes of each server.
func verdictByServer() cog.Builder[dashboard.Panel] {
	return stacked(panel{
		title: "Dangerous processes by server", width: 12, height: 8, unit: "short", noValue: "No server has a dangerous process",
		description: "How many dangerous processes each server had. The ten with the most.",
		queries: list(history("A",
			`topk(10, max by (instance) (instance:server_monitor_processes_danger:sum{`+chosen+`})) > 0`, "{{instance}}")),
	})
}

// busiest is one ratio of the ten servers where it is highest.
func busiest(title, description, rule string) cog.Builder[dashboard.Panel] {
	return curves(panel{
		title: title, description: description, width: 12, height: 8, unit: "percentunit", noValue: "No data: are the recording rules loaded?",
		queries: list(history("A", `topk(10, max by (instance) (`+rule+`{`+chosen+`}))`, "{{instance}}")),
	}).Max(1)
}

// reachability shows when servers did not answer.
func reachability() cog.Builder[dashboard.Panel] {
	return dots(panel{
		title: "Reachability", width: 12, height: 8, unit: "short", noValue: noServer,
		description: "When each server answered Prometheus.",
		mappings:    mapping(answers("1", "🟢 up|"+good, "0", "🔴 down|"+danger)),
		steps:       []dashboard.Threshold{{Color: danger}, {Value: new(1.0), Color: good}},
		queries:     list(history("A", `min by (instance) (up{`+chosen+`})`, "{{instance}}").IntervalFactor(2)),
	})
}
