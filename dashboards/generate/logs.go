package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const (
	// noLines is shown where no line fits.
	noLines = "No line fits the choice"
	// stream selects what the reader chose by labels.
	stream = `{host=~"$host", source=~"$source", unit=~"$unit", level=~"$level"}`
	// matching are those of its lines that hold the text.
	matching = stream + " |~ `(?i)$search`"
	// audit are the lines of --audit.file with the fields that the table shows.
	// The pid comes with them, as structured metadata.
	audit = `{host=~"$host", source="audit"}
  | json who="actor.name", stage="stage", decision="decision", outcome="outcome", name="name", user="user", codes="codes", reason="reason", document="policy_document"
  | __error__=""`
)

// levelColors are the colours of levels.
var levelColors = map[string]string{
	"critical": "#c678ff", "error": danger, "warning": caution, "info": good, "debug": dim, "unknown": dim,
}

// logsPage is what was logged: lines, how many by level and unit, and the audit
// trail.
func logsPage() page {
	return page{
		name: "logs", title: "Server Monitor / Logs", from: "now-1h",
		description: "System, service and audit logs of the servers from Loki: by level, by unit, by text, and who ended what.",
		variables: append(sources(), job(), servers(), hosts(),
			label("source", "Source", "Where lines come from: journal, file or audit."),
			label("unit", "Unit", "Unit of systemd, or name of the file."),
			label("level", "Level", "How severe a line is."),
			dashboard.NewTextBoxVariableBuilder("search").Label("Search").Description("Text or regular expression in the line, in any case.").
				DefaultValue(dashboard.StringOrMap{String: new("")}).Current(option("", "")),
			console()),
		links: []cog.Builder[dashboard.DashboardLink]{toConsole()},
		panels: []cog.Builder[dashboard.Panel]{
			banner("LOGS", "What the system, its services and server-monitor's audit say."),
			levels(), units(),
			logLines(panel{
				title: "Lines", width: 24, height: 16, unit: "short", noValue: noLines,
				description: "The newest lines that fit the choice above; the bar at the left is the level.",
				queries:     list(search(matching, "").MaxLines(1000)),
			}),
			auditTrail(), auditCounts(),
			logLines(panel{
				title: "Audit lines", width: 18, height: 8, unit: "short", noValue: "Nobody asked to end a process or changed policy",
				description: "Every decision of server-monitor on ending a process and every change of policy, refusals too, as written.",
				queries:     list(search(`{host=~"$host", source="audit"}`, "").MaxLines(200)),
			}),
		},
	}
}

// label is the choice of values of a label of Loki.
func label(name, title, description string) cog.Builder[dashboard.VariableModel] {
	return choice(name, title, description, lines, `{host=~"$host"}`).
		Multi(true).IncludeAll(true).AllValue(".*").Current(all())
}

// levels counts lines by level.
func levels() cog.Builder[dashboard.Panel] {
	return colored(stacked(panel{
		title: "Lines by level", width: 12, height: 8, unit: "short", noValue: noLines, source: lines,
		description: "How many lines of each level were written in each interval.",
		queries:     list(search("sum by (level) (count_over_time("+matching+" [$__auto]))", "{{level}}")),
	}), levelColors, "critical", "error", "warning", "info", "debug", "unknown")
}

// units counts the lines of the units that write the most.
func units() cog.Builder[dashboard.Panel] {
	return stacked(panel{
		title: "Lines by unit", width: 12, height: 8, unit: "short", noValue: noLines, source: lines,
		description: "How many lines the ten units that write the most wrote in each interval.",
		queries:     list(search("topk(10, sum by (host, unit) (count_over_time("+matching+" [$__auto])))", "{{unit}} {{host}}")),
	})
}

// auditTrail is who ended what, and why not.
func auditTrail() cog.Builder[dashboard.Panel] {
	return grid(panel{
		title: "Audit trail", width: 24, height: 10, source: lines,
		noValue:     "Nobody asked to end a process or changed policy",
		description: "Every decision on ending a process and every change of policy: who, what, and why it was refused.",
		queries:     list(search(audit, "").MaxLines(200)),
	}, []column{
		{field: "Time", title: "Time", width: 160, unit: "dateTimeAsIso"},
		{field: "host", title: "Host", width: 90},
		{field: "who", title: "Who", width: 140},
		{field: "stage", title: "Stage", width: 80},
		{
			field: "decision", title: "Decision", width: 120, cell: coloredText,
			mappings: answers("accepted", "ACCEPTED|"+good, "refused", "REFUSED|"+danger, "dry_run", "DRY RUN|"+caution, "already_exited", "ALREADY GONE|"+dim),
		},
		{field: "outcome", title: "Outcome", width: 135},
		{field: "name", title: "Process", width: 115},
		{field: "pid", title: "PID", width: 65},
		{field: "user", title: "User", width: 75},
		{field: "document", title: "Policy", width: 90},
		{field: "codes", title: "Why not", width: 180, wrap: true},
		{field: "reason", title: "Reason given", wrap: true},
	}, []string{"Time"},
		dashboard.DataTransformerConfig{Id: "extractFields", Options: map[string]any{
			"source": "labels", "format": "auto", "replace": true, "keepTime": true,
		}})
}

// auditCounts counts decisions.
func auditCounts() cog.Builder[dashboard.Panel] {
	return bars(panel{
		title: "Decisions", width: 6, height: 8, unit: "short", source: lines, noValue: "No decision in this time",
		description: "How many requests were accepted and how many refused in the time that the dashboard shows.",
		steps:       always(neon),
		queries:     list(search("sum by (decision) (count_over_time("+audit+` | stage="decision" [$__auto]))`, "{{decision}}")),
	}).ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"sum"}).Values(false))
}
