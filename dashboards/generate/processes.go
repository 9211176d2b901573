package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"server-monitor/internal/risk"
)

// The selections of that dashboard: of all processes, and of those with rows.
const (
	chosen    = `job=~"$job", instance=~"$instance"`
	rowChosen = chosen + `, verdict=~"$verdict", user=~"$user", pid=~"$pid"`
	pidChosen = chosen + `, pid=~"$pid"`
)

// processes is what runs: verdicts, warnings, ports, and who takes what.
func processes() page {
	return page{
		name: "processes", title: "Server Monitor / Processes", from: "now-1h",
		description: "Processes by danger with their warnings, ports and what to do; choose a PID for its history.",
		variables: append(sources(), job(), servers(),
			dashboard.NewCustomVariableBuilder("verdict").Label("Verdict").Description("Verdicts to list.").
				Values(dashboard.StringOrMap{String: new("danger,caution,safe")}).
				Multi(true).IncludeAll(true).AllValue(".+").Current(all()),
			choice("user", "User", "Users to list.", metrics, `label_values(server_monitor_process_info{job=~"$job", instance=~"$instance"}, user)`).
				Multi(true).IncludeAll(true).AllValue(".*").Current(all()),
			choice("pid", "PID", "One process, or all.", metrics, `label_values(server_monitor_process_info{job=~"$job", instance=~"$instance"}, pid)`).
				Multi(true).IncludeAll(true).AllValue(".+").Current(all()),
			console()),
		links: []cog.Builder[dashboard.DashboardLink]{toConsole()},
		panels: []cog.Builder[dashboard.Panel]{
			banner("PROCESSES", "What runs, whether it is dangerous, and why."),
			verdictHistory(12, 7), warningBars(),
			processTable(panel{
				title: "Risk", width: 24, height: 16, noValue: "No process is worth a row",
				description: "Processes worth a row, the most dangerous first. ⚪ is what policy calls normal for the program. " +
					"TERMINATE opens the console's dialog, which checks everything again; 🔒 says that policy or a guard forbids it.",
			}, rowChosen, true),
			findingTable(), portTable(),
			ofPid("CPU", "How busy the process keeps processors: 100 % is one of them. The ten that take the most; choose a PID for one.", "percentunit",
				"rate(server_monitor_process_cpu_seconds_total{"+pidChosen+"}[$__rate_interval])"),
			ofPid("Memory", "Physical memory of the process, what it shares with others included. The ten that take the most; choose a PID for one.",
				"bytes", "server_monitor_process_resident_memory_bytes{"+pidChosen+"}"),
			groups("CPU of groups", "How busy all processes of one name and user keep processors, ended ones too: 100 % is one of them. The ten that take the most.", "percentunit",
				"rate(server_monitor_process_group_cpu_seconds_total{"+chosen+"}[$__rate_interval])"),
			groups("Memory of groups", "Physical memory of all processes of one name and user; what they share counts for each.", "bytes",
				"server_monitor_process_group_resident_memory_bytes{"+chosen+"}"),
			policyFigures(), blindSpots(),
			terminations(), terminationTimes(),
		},
	}
}

// warningBars counts the processes that bear each warning.
func warningBars() cog.Builder[dashboard.Panel] {
	return bars(panel{
		title: "Warnings", width: 12, height: 7, unit: "short", noValue: "No process bears a warning",
		description: "How many processes bear each warning, be it expected or not.",
		steps:       []dashboard.Threshold{{Color: good}, {Value: new(1.0), Color: caution}, {Value: new(10.0), Color: danger}},
		queries:     list(now("A", `sort_desc(sum by (warning) (server_monitor_process_warnings{`+chosen+`}))`, "{{warning}}")),
	})
}

// findingTable is one row a finding.
func findingTable() cog.Builder[dashboard.Panel] {
	words := []string{}
	for _, code := range risk.Codes {
		words = append(words, string(code), advice[code])
	}
	// The advice is the warning once more, in other words.
	query := fmt.Sprintf(`label_replace(
  max by (job, instance, pid, name, warning, subject, severity) (
    3 * server_monitor_process_warning{%[1]s, expected="false", severity="danger"}
    or 2 * server_monitor_process_warning{%[1]s, expected="false", severity="warn"}
    or server_monitor_process_warning{%[1]s, expected="false", severity="info"}
  ),
  "advice", "$1", "warning", "(.+)")`, pidChosen)
	return grid(panel{
		title: "Findings", width: 24, height: 10, noValue: "Nothing was found that policy does not expect",
		description: "One row a finding that policy does not expect, the heaviest first, with what it is about and what to do.",
		queries:     list(rows("A", query)),
	}, []column{
		{field: "Value", title: "Severity", width: 110, unit: "none", cell: background, align: "center", mappings: answers("3", "🔴 DANGER|"+danger, "2", "🟡 WARN|"+caution, "1", "🔵 INFO|#7cc7ff")},
		{field: "name", title: "Process", width: 120},
		{field: "pid", title: "PID", width: 70, link: drillDown("Show this process", "pid", "PID")},
		{field: "warning", title: "Warning", width: 165},
		{field: "subject", title: "About", width: 150, wrap: true},
		{field: "advice", title: "Advice", mappings: answers(words...)},
		{field: "instance", title: "Server", width: 110},
	}, []string{"Severity"})
}

// portTable lists the ports that others can reach.
func portTable() cog.Builder[dashboard.Panel] {
	return grid(panel{
		title: "Ports that others can reach", width: 24, height: 8, noValue: "No port can be reached from beyond the machine",
		description: "Listening ports that are not bound to loopback, with the service that the port is known for.",
		queries: list(rows("A", `max by (job, instance, pid, name, port, protocol, scope, port_name) (
  server_monitor_process_listen_port{`+pidChosen+`, scope!="loopback"}
)`)),
	}, []column{
		{field: "scope", title: "Scope", width: 100, cell: coloredText, mappings: answers("public", "PUBLIC|"+danger, "private", "PRIVATE|"+caution)},
		{field: "port", title: "Port", width: 80},
		{field: "protocol", title: "Over", width: 80},
		{field: "port_name", title: "Known for", width: 160},
		{field: "name", title: "Process", width: 200},
		{field: "pid", title: "PID", width: 70, link: drillDown("Show this process", "pid", "PID")},
		{field: "instance", title: "Server"},
	}, []string{"Scope"})
}

// ofPid is one fact of single processes over time.
func ofPid(title, description, unit, vector string) cog.Builder[dashboard.Panel] {
	return curves(panel{
		title: title + " of processes", description: description, width: 12, height: 8, unit: unit, noValue: "No process is worth a row",
		queries: list(history("A", `topk(10, max by (instance, pid, name) (`+vector+`))`, "{{name}} ({{pid}}) {{instance}}")),
	})
}

// groups is one fact of the heaviest groups over time.
func groups(title, description, unit, vector string) cog.Builder[dashboard.Panel] {
	return curves(panel{
		title: title, description: description, width: 12, height: 8, unit: unit, noValue: noServer,
		queries: list(history("A", `topk(10, max by (instance, name, user) (`+vector+`))`, "{{name}} ({{user}}) {{instance}}")),
	})
}

// policyFigures tell how policy itself fares.
func policyFigures() cog.Builder[dashboard.Panel] {
	return figure(panel{
		title: "Policy", width: 12, height: 5, unit: "none", noValue: "No policy store is configured",
		description: "What is known of programs: documents and rules that hold, malformed ones, whether the store answers, and how many policies the servers have, which should be one.",
		queries: list(
			now("A", `max(sum by (job, instance) (server_monitor_policy_documents{`+chosen+`}))`, "documents"),
			now("B", `max(server_monitor_policy_rules{`+chosen+`})`, "rules"),
			now("C", `max(server_monitor_policy_invalid_documents{`+chosen+`})`, "malformed"),
			now("D", `min(server_monitor_policy_store_up{`+chosen+`})`, "store"),
			now("E", `count(count by (version) (server_monitor_policy_info{`+chosen+`}))`, "versions"),
		),
	}).TextMode(common.BigValueTextModeValueAndName).Text(sizes(14, 28)).
		OverrideByName("malformed", stepsOf(anyIs(danger))).
		OverrideByName("versions", stepsOf([]dashboard.Threshold{{Color: good}, {Value: new(2.0), Color: caution}})).
		OverrideByName("store", []dashboard.DynamicConfigValue{
			{Id: "mappings", Value: answers("1", "UP|"+good, "0", "AWAY|"+danger)},
			{Id: "noValue", Value: "NONE"},
		})
}

// blindSpots tell what could not be seen.
func blindSpots() cog.Builder[dashboard.Panel] {
	return figure(panel{
		title: "Blind spots", width: 12, height: 5, unit: "short", noValue: noServer,
		description: "What the other panels lack: processes that may not be looked at, those left out for their number, facts that were denied, and sockets without an owner.",
		steps:       anyIs(caution),
		queries: list(
			now("A", `sum(server_monitor_processes_hidden{`+chosen+`})`, "hidden"),
			now("B", `sum(server_monitor_process_pids_omitted{`+chosen+`})`, "omitted"),
			now("C", `sum(increase(server_monitor_process_facts_denied_total{`+chosen+`}[$__rate_interval]))`, "denied"),
			now("D", `sum(server_monitor_process_unowned_sockets{`+chosen+`})`, "unowned sockets"),
		),
	}).TextMode(common.BigValueTextModeValueAndName).Text(sizes(14, 28)).Decimals(0)
}

// terminations are the requests to end processes by what became of them.
func terminations() cog.Builder[dashboard.Panel] {
	return stacked(panel{
		title: "Terminations", width: 12, height: 8, unit: "short", noValue: "Nobody asked to end a process",
		description: "Requests to end a process by what became of them and who asked. The audit trail is in the dashboard of logs.",
		queries: list(history("A",
			`sum by (result, actor) (increase(server_monitor_termination_requests_total{`+chosen+`}[$__rate_interval])) > 0`, "{{result}} ({{actor}})")),
	})
}

// terminationTimes tell how long processes took to end: points, as it is
// seldom, and nothing where there was none, which would be NaN.
func terminationTimes() cog.Builder[dashboard.Panel] {
	return curves(panel{
		title: "Time to end", width: 12, height: 8, unit: "s", noValue: "No process was ended",
		description: "How long processes took to end from the first signal on: half of them, and all but the slowest twentieth, by soft or hard.",
		queries: list(
			history("A", `histogram_quantile(0.5, sum by (le, method) (rate(server_monitor_termination_duration_seconds_bucket{`+chosen+`}[$__rate_interval]))) >= 0`, "half {{method}}"),
			history("B", `histogram_quantile(0.95, sum by (le, method) (rate(server_monitor_termination_duration_seconds_bucket{`+chosen+`}[$__rate_interval]))) >= 0`, "95 % {{method}}"),
		),
	}).ShowPoints(common.VisibilityModeAlways).PointSize(8)
}
