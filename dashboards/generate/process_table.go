package main

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"

	"server-monitor/internal/risk"
)

// advice is what to do about each warning, in the few words that a cell holds;
// the console says it of the very process.
var advice = map[risk.Code]string{
	risk.RunningAsRoot:   "Run it as an ordinary user",
	risk.PublicPort:      "Bind it to 127.0.0.1 or close the port in the firewall",
	risk.SystemPort:      "Find out who started it and why; else end it",
	risk.HighMemoryUsage: "Watch whether it keeps growing; limit it",
	risk.SuspiciousPath:  "Make sure who put it there; else end it",
	risk.DeletedExe:      "Restart it if it was updated; else examine it",
	risk.FilelessExe:     "Malware hides like this: save /proc/PID/exe, end it",
	risk.Masquerade:      "Programs hide like this: look at its parent, end it",
	risk.WritableExe:     "chmod o-w, and check that the file is the original",
}

// verdictWords are the dots of verdicts by the numbers of process_verdict.
func verdictWords() []map[string]any {
	return answers("0", "🟢 SAFE|"+good, "1", "🟡 CAUTION|"+caution, "2", "🔴 DANGER|"+danger)
}

// byProcess is what tells a row of the table: pids repeat between servers, and
// over time between programs.
const byProcess = `"key", "/", "job", "instance", "pid", "name"`

// risky is the query of one row a process, with the verdict as its value. The
// address of the console may have $1 for the host of the server.
func risky(selector string) string {
	verdicts := fmt.Sprintf(`2 * server_monitor_process_info{%[1]s, verdict="danger"}
      or server_monitor_process_info{%[1]s, verdict="caution"}
      or 0 * server_monitor_process_info{%[1]s, verdict="safe"}`, selector)
	return fmt.Sprintf(`max by (key, console, job, instance, pid, identity, name, user, unit, exe, description, terminatable) (
  label_replace(
    label_join(
      %s,
      %s),
    "console", ${console:doublequote}, "instance", "(.+?)(?::[0-9]+)?")
)`, verdicts, byProcess)
}

// ofProcesses makes a query of one row a process, or one for each of the
// labels more, of the processes that the table shows.
func ofProcesses(operation, labels, vector, selector string) string {
	return fmt.Sprintf(`%s by (key%s) (
  label_join(
    %s
      and on (job, instance, pid, name) server_monitor_process_info{%s},
    %s)
)`, operation, labels, vector, selector, byProcess)
}

// findings lists what was found about each process, as "PUBLIC_PORT(22)"
// behind a dot for its severity; what policy expects has a white one.
func findings(selector string) string {
	marked := func(dot, matchers string) string {
		return fmt.Sprintf(`label_replace(server_monitor_process_warning{job=~"$job", instance=~"$instance", %s}, "dot", %q, "warning", ".+")`, matchers, dot)
	}
	all := strings.Join([]string{
		marked("🔴", `expected="false", severity="danger"`),
		marked("🟡", `expected="false", severity="warn"`),
		marked("🔵", `expected="false", severity="info"`),
		marked("⚪", `expected="true"`),
	}, "\n      or ")
	// The subject goes into brackets, but for paths, which no cell has room for.
	text := fmt.Sprintf(`label_replace(label_replace(label_join(
      %s,
      "subject", "(", "warning", "subject"), "subject", "$1)", "subject", "([^(]+\\([^/].*)"), "subject", "$1", "subject", "([^()]+)\\((?:/.*)?")`, all)
	return ofProcesses("max", ", finding", fmt.Sprintf(`label_join(%s, "finding", " ", "dot", "subject")`, text), selector)
}

// firstAdvice picks the heaviest warning of each process that policy does not
// expect.
func firstAdvice(selector string) string {
	weigh := func(weight int, severity string) string {
		return fmt.Sprintf(`%d * server_monitor_process_warning{job=~"$job", instance=~"$instance", expected="false", severity=%q}`, weight, severity)
	}
	return ofProcesses("max", ", warning", fmt.Sprintf(`topk by (job, instance, pid, name) (1,
      %s
      or %s
      or %s)`, weigh(3, "danger"), weigh(2, "warn"), weigh(1, "info")), selector)
}

// processTable is the table of processes, the most dangerous first: what each
// is, takes, listens on and bears, what to do, and the way to end it.
func processTable(p panel, selector string, several bool) *table.PanelBuilder {
	const these = `job=~"$job", instance=~"$instance"`
	p.queries = []cog.Builder[variants.Dataquery]{
		rows("A", risky(selector)),
		rows("B", ofProcesses("sum", "", `rate(server_monitor_process_cpu_seconds_total{`+these+`}[$__rate_interval])`, selector)),
		rows("C", ofProcesses("max", "", `server_monitor_process_resident_memory_bytes{`+these+`}`, selector)),
		rows("D", findings(selector)),
		rows("E", firstAdvice(selector)),
		rows("F", ofProcesses("max", ", port", `server_monitor_process_listen_port{`+these+`}`, selector)),
	}
	return grid(p, processColumns(several), []string{"Risk", "CPU"},
		gather("D", "key", "finding"), gather("F", "key", "port"), join("key"))
}

// processColumns are the columns of the table of processes, with the server
// where there may be several.
func processColumns(several bool) []column {
	words := []string{}
	for _, code := range risk.Codes {
		words = append(words, string(code), advice[code])
	}
	return []column{
		{field: fieldOf("A"), title: "Risk", width: 110, unit: "none", cell: background, align: "center", mappings: verdictWords()},
		{field: "name", title: "Process", width: 130, tooltip: "Role"},
		{field: "pid", title: "PID", width: 70, link: drillDown("Show this process", "pid", "PID")},
		{field: "instance", title: "Server", width: 110, hidden: !several},
		{
			field: gathered("finding"), title: "Warnings", width: 215, cell: pills, wrap: true,
			mappings: patterns("^🔴.*", "|"+danger, "^🟡.*", "|"+caution, "^🔵.*", "|#7cc7ff", "^⚪.*", "|"+dim),
		},
		{field: "warning", title: "Advice", wrap: true, mappings: answers(words...)},
		{
			field: "terminatable", title: "Action", width: 105, cell: coloredText, align: "center",
			mappings: answers("true", "TERMINATE|"+danger, "false", "🔒|"+dim),
			link: &fieldLink{
				"Ask the console to end it: it checks everything again",
				`${__data.fields.Console}/#/process/${__data.fields.PID}/${__data.fields.Identity}/terminate`, true,
			},
		},
		{field: fieldOf("B"), title: "CPU", width: 100, unit: "percentunit", cell: lcd, steps: steps(0.7, 0.9), max: 1, decimals: true},
		{field: fieldOf("C"), title: "Memory", width: 85, unit: "bytes"},
		{field: "user", title: "User", width: 85},
		{field: gathered("port"), title: "Ports", width: 85, cell: pills, wrap: true, mappings: patterns(`.*`, "|"+dim)},
		{field: "description", title: "Role", width: 300, wrap: true},
		{
			field: "unit", title: "Unit", width: 140,
			link: &fieldLink{
				"Logs of this unit",
				`/d/server-monitor-logs?var-unit=${__data.fields.Unit}&var-instance=${__data.fields.Server}&` + kept, false,
			},
		},
		{field: "identity", title: "Identity", hidden: true},
		{field: "console", title: "Console", hidden: true},
	}
}

// drillDown is a link to the dashboard of processes, narrowed by the value of
// a column.
func drillDown(title, variable, from string) *fieldLink {
	return &fieldLink{title, fmt.Sprintf(
		`/d/server-monitor-processes?var-instance=${__data.fields.Server}&var-%s=${__data.fields.%s}&%s`,
		variable, from, kept), false}
}

// verdictHistory counts processes by verdict over time.
func verdictHistory(width, height uint32) cog.Builder[dashboard.Panel] {
	return colored(stacked(panel{
		title: "Processes by verdict", width: width, height: height, unit: "short", noValue: noServer,
		description: "How many processes were safe, to be looked at, or dangerous. Kernel threads and zombies are not judged.",
		queries: list(history("A",
			`sum by (verdict) (server_monitor_processes{job=~"$job", instance=~"$instance"})`, "{{verdict}}")),
	}), verdictColors, "danger", "caution", "safe")
}
