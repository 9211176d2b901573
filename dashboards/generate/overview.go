package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"server-monitor/internal/resources"
)

// noServer is shown where nothing is known of a server at all.
const noServer = "No data: is server-monitor running and scraped?"

// one selects the server of the overview.
const one = `job=~"$job", instance="$instance"`

// overview is one server on one page: the four panels of the console.
func overview() page {
	return page{
		name: "overview", title: "Server Monitor / Overview", from: "now-1h",
		description: "One server: resources, services, logs, and its processes, the most dangerous first.",
		variables:   append(sources(), job(), server(), hosts(), console()),
		links:       []cog.Builder[dashboard.DashboardLink]{toConsole()},
		panels: []cog.Builder[dashboard.Panel]{
			banner("SERVER MONITOR", "What runs on this server, is it dangerous, and why."),
			resourceBars(), uptime(), serviceTable(panel{
				title: "Services", width: 12, height: 9,
				description: "Services by the state that systemd or the process table tells, trouble first. Click one for its logs.",
			}, one),
			verdictFigures(),
			processTable(panel{
				title: "Processes", width: 24, height: 20, noValue: "No process is worth a row",
				description: "Processes worth a row: dangerous and unknown ones, those that others can reach, and those that take much memory. " +
					"TERMINATE opens the console's dialog, which checks everything again; 🔒 says that policy or a guard forbids it.",
			}, one, false),
			logConsole(), serviceDots(10, 10, one),
			resourceHistory(), load(),
		},
	}
}

// resourceBars are the bars of the console's panel of resources.
func resourceBars() cog.Builder[dashboard.Panel] {
	return bars(panel{
		title: "Resources", width: 8, height: 9, unit: "percentunit", noValue: noServer,
		description: "How much of the processors, memory, swap and the fullest file system is in use: good below 70 %, bad from 90 % on.",
		steps:       steps(resources.WarnRatio, resources.BadRatio),
		queries: list(
			now("A", `1 - sum(rate(server_monitor_cpu_seconds_total{`+one+`, mode=~"idle|iowait"}[$__rate_interval]))
  / sum(rate(server_monitor_cpu_seconds_total{`+one+`}[$__rate_interval]))`, "CPU"),
			now("B", `max(server_monitor_memory_used_bytes{`+one+`} / server_monitor_memory_total_bytes{`+one+`})`, "MEMORY"),
			now("C", `max(`+diskUsage(one)+`)`, "DISK"),
			now("D", `max(server_monitor_swap_used_bytes{`+one+`} / (server_monitor_swap_total_bytes{`+one+`} > 0))`, "SWAP"),
		),
	}).Max(1)
}

// diskUsage is the part of each file system that is in use, as df counts it.
func diskUsage(selector string) string {
	return `server_monitor_filesystem_used_bytes{` + selector + `}
  / (server_monitor_filesystem_used_bytes{` + selector + `} + server_monitor_filesystem_available_bytes{` + selector + `} > 0)`
}

// resourceHistory is how the resources fared.
func resourceHistory() cog.Builder[dashboard.Panel] {
	return curves(panel{
		title: "Resource history", width: 16, height: 8, unit: "percentunit", noValue: noServer,
		description: "Processors, memory and the fullest file system over time, and how long tasks waited for processors, memory and disks.",
		queries: list(
			history("A", `1 - sum(rate(server_monitor_cpu_seconds_total{`+one+`, mode=~"idle|iowait"}[$__rate_interval]))
  / sum(rate(server_monitor_cpu_seconds_total{`+one+`}[$__rate_interval]))`, "CPU"),
			history("B", `max(server_monitor_memory_used_bytes{`+one+`} / server_monitor_memory_total_bytes{`+one+`})`, "memory"),
			history("C", `max(`+diskUsage(one)+`)`, "disk"),
			history("D", `max(rate(server_monitor_pressure_cpu_waiting_seconds_total{`+one+`}[$__rate_interval]))`, "waits for CPU"),
			history("E", `max(rate(server_monitor_pressure_io_waiting_seconds_total{`+one+`}[$__rate_interval]))`, "waits for disks"),
			history("F", `max(rate(server_monitor_pressure_memory_waiting_seconds_total{`+one+`}[$__rate_interval]))`, "waits for memory"),
		),
	}).Max(1)
}

// verdictFigures count the processes of each verdict.
func verdictFigures() cog.Builder[dashboard.Panel] {
	return figure(panel{
		title: "Verdicts", width: 24, height: 4, unit: "short", noValue: noServer,
		description: "How many processes are dangerous, to be looked at, and safe. Click for all of them.",
		queries: list(
			now("A", `sum(server_monitor_processes{`+one+`, verdict="danger"})`, "🔴 DANGER"),
			now("B", `sum(server_monitor_processes{`+one+`, verdict="caution"})`, "🟡 CAUTION"),
			now("C", `sum(server_monitor_processes{`+one+`, verdict="safe"})`, "🟢 SAFE"),
		),
		links: []cog.Builder[dashboard.DashboardLink]{
			link("All processes", "/d/server-monitor-processes?${instance:queryparam}&"+kept, false),
		},
	}).TextMode(common.BigValueTextModeValueAndName).
		OverrideByName("🔴 DANGER", stepsOf(anyIs(danger))).
		OverrideByName("🟡 CAUTION", stepsOf(anyIs(caution))).
		OverrideByName("🟢 SAFE", stepsOf(always(good)))
}

func stepsOf(s []dashboard.Threshold) []dashboard.DynamicConfigValue {
	return []dashboard.DynamicConfigValue{{Id: "thresholds", Value: map[string]any{"mode": "absolute", "steps": s}}}
}

// uptime is how long the machine has been up.
func uptime() cog.Builder[dashboard.Panel] {
	return figure(panel{
		title: "Up", width: 4, height: 9, unit: "dtdurations", noValue: noServer,
		description: "How long ago the machine started.",
		queries:     list(now("A", `time() - max(server_monitor_boot_time_seconds{`+one+`})`, "UPTIME")),
		steps:       []dashboard.Threshold{{Color: caution}, {Value: new(3600.0), Color: good}},
	})
}

// load is the load of each processor.
func load() cog.Builder[dashboard.Panel] {
	return bars(panel{
		title: "Load per processor", width: 8, height: 8, unit: "short", noValue: noServer,
		description: "Tasks that ran or waited to run, for each processor, averaged over 1, 5 and 15 minutes: more than 1 means waiting.",
		steps:       steps(1, 2),
		queries: list(
			now("A", `max(server_monitor_load1{`+one+`} / server_monitor_cpu_logical_processors{`+one+`})`, "1 m"),
			now("B", `max(server_monitor_load5{`+one+`} / server_monitor_cpu_logical_processors{`+one+`})`, "5 m"),
			now("C", `max(server_monitor_load15{`+one+`} / server_monitor_cpu_logical_processors{`+one+`})`, "15 m"),
		),
	}).Max(2).Decimals(2)
}

// logConsole is the console's panel of logs.
func logConsole() cog.Builder[dashboard.Panel] {
	return logLines(panel{
		title: "Log console", width: 14, height: 10, unit: "short",
		noValue:     "No lines: does Alloy ship the logs of this host to Loki?",
		description: "The newest lines of all logs of this server.",
		queries:     list(search(`{host=~"$host"}`, "").MaxLines(200)),
	})
}
