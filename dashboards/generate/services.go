package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// noService is shown where no service is known.
const noService = "No service is known of this choice"

// ofServices selects the services of that dashboard.
const ofServices = `job=~"$job", instance=~"$instance", name=~"$service"`

// services is what should run: states, their history, and what each takes.
func services() page {
	return page{
		name: "services", title: "Server Monitor / Services", from: "now-3h",
		description: "Services of systemd or of the process table: states, how they came about, restarts, and what each takes.",
		variables: append(sources(), job(), servers(),
			choice("service", "Service", "Name of the service without .service.", metrics,
				`label_values(server_monitor_service_state{job=~"$job", instance=~"$instance"}, name)`).
				Multi(true).IncludeAll(true).AllValue(".+").Current(all()), console()),
		links: []cog.Builder[dashboard.DashboardLink]{toConsole()},
		panels: []cog.Builder[dashboard.Panel]{
			banner("SERVICES", "What should run, and whether it does."),
			serviceFigures(), managers(),
			serviceDetails(),
			serviceDots(24, 10, ofServices),
			usage("CPU of services", "How busy each service keeps processors: 100 % is one of them. The ten that take the most.",
				"percentunit", "rate(server_monitor_service_cpu_seconds_total{"+ofServices+"}[$__rate_interval])"),
			usage("Memory of services", "Memory of the processes of each service, file cache included. The ten that take the most.",
				"bytes", "server_monitor_service_memory_bytes{"+ofServices+"}"),
			usage("Tasks of services", "Threads of each service. The ten that have the most.",
				"short", "server_monitor_service_tasks{"+ofServices+"}"),
			restarts(),
		},
	}
}

// stateWords are the states as the console writes them.
func stateWords() []map[string]any {
	return answers(
		"active", "[ ACTIVE ]|"+good, "idle", "[ ACTIVE (IDLE) ]|"+caution,
		"activating", "[ ACTIVATING ]|"+caution, "deactivating", "[ DEACTIVATING ]|"+caution, "reloading", "[ RELOADING ]|"+caution,
		"inactive", "[ INACTIVE ]|"+dim, "failed", "[ FAILED ]|"+danger, "not_found", "[ NOT FOUND ]|"+danger,
		"unsupported", "[ NOT SUPPORTED ]|"+dim)
}

// healthDots are the dots of service_health.
func healthDots() []map[string]any {
	return answers("0", "🟢|"+good, "1", "🟡|"+caution, "2", "🔴|"+danger)
}

// states is one row a service, with its health as the value: of the states of
// a service exactly one is 1.
func states(selector string) string {
	return `max by (job, instance, name, source, state) (
  (server_monitor_service_state{` + selector + `} == 1)
  * on (job, instance, name, source) group_left ()
  max by (job, instance, name, source) (server_monitor_service_health{` + selector + `})
)`
}

// serviceTable lists services with a dot and the word of their state.
func serviceTable(p panel, selector string) *table.PanelBuilder {
	p.noValue = noService
	p.queries = list(rows("A", states(selector)))
	return grid(p, []column{
		{field: "Value", title: "Health", width: 90, unit: "none", align: "center", mappings: healthDots()},
		{field: "name", title: "Service", link: toLogs()},
		{field: "state", title: "State", width: 190, cell: coloredText, mappings: stateWords()},
		{field: "instance", title: "Server", hidden: true},
	}, []string{"Health"})
}

// toLogs leads from the name of a service to its logs.
func toLogs() *fieldLink {
	return &fieldLink{
		"Logs of this service",
		`/d/server-monitor-logs?var-unit=${__data.fields.Service}.service&var-instance=${__data.fields.Server}&` + kept, false,
	}
}

// serviceDetails is the table of services with all that is known of each.
func serviceDetails() cog.Builder[dashboard.Panel] {
	const key = `"key", "/", "job", "instance", "name"`
	with := func(vector string) string { return "max by (key) (label_join(" + vector + ", " + key + "))" }
	return grid(panel{
		title: "Services", width: 24, height: 12, noValue: noService,
		description: "Every service with its state, when it was last started, restarts by systemd since then, and what it takes now. Click one for its logs.",
		queries: list(
			rows("A", "label_join("+states(ofServices)+", "+key+")"),
			rows("B", with("1000 * server_monitor_service_start_time_seconds{"+ofServices+"}")),
			rows("C", with("server_monitor_service_restarts_total{"+ofServices+"}")),
			rows("D", with("rate(server_monitor_service_cpu_seconds_total{"+ofServices+"}[$__rate_interval])")),
			rows("E", with("server_monitor_service_memory_bytes{"+ofServices+"}")),
			rows("F", with("server_monitor_service_tasks{"+ofServices+"}")),
		),
	}, []column{
		{field: fieldOf("A"), title: "Health", width: 90, unit: "none", align: "center", mappings: healthDots()},
		{field: "name", title: "Service", link: toLogs()},
		{field: "state", title: "State", width: 190, cell: coloredText, mappings: stateWords()},
		{field: fieldOf("B"), title: "Started", width: 150, unit: "dateTimeFromNow"},
		{field: fieldOf("C"), title: "Restarts", width: 90, unit: "short", cell: coloredText, steps: anyIs(caution)},
		{field: fieldOf("D"), title: "CPU", width: 130, unit: "percentunit", cell: lcd, steps: steps(0.7, 0.9), max: 1, decimals: true},
		{field: fieldOf("E"), title: "Memory", width: 110, unit: "bytes"},
		{field: fieldOf("F"), title: "Tasks", width: 80, unit: "short"},
		{field: "source", title: "Told by", width: 90},
		{field: "instance", title: "Server", width: 180},
	}, []string{"Health", "CPU"}, join("key"))
}

// serviceDots is the history of the services' health.
func serviceDots(width, height uint32, selector string) cog.Builder[dashboard.Panel] {
	return dots(panel{
		title: "Service history", width: width, height: height, unit: "short",
		noValue:     "Every service was well all the time",
		description: "Services that were not well at some time: green well, yellow between two states or idle, red failed or absent.",
		mappings:    mapping(healthDots()),
		steps:       steps(1, 2),
		queries: list(history("A", `max by (instance, name) (server_monitor_service_health{`+selector+`})
  and on (instance, name) (max by (instance, name) (max_over_time(server_monitor_service_health{`+selector+`}[$__range])) > 0)`,
			"{{name}}").IntervalFactor(2)),
	})
}

// serviceFigures count the services by health.
func serviceFigures() cog.Builder[dashboard.Panel] {
	count := func(refID, health, name string) *prometheusQuery {
		return now(refID, `sum(server_monitor_service_health{`+ofServices+`} == bool `+health+`)`, name)
	}
	return figure(panel{
		title: "Health", width: 16, height: 4, unit: "short", noValue: noService,
		description: "How many services are well, between two states or idle, and failed or absent.",
		queries:     list(count("A", "2", "🔴 BAD"), count("B", "1", "🟡 WARN"), count("C", "0", "🟢 GOOD")),
	}).TextMode(common.BigValueTextModeValueAndName).
		OverrideByName("🔴 BAD", stepsOf(anyIs(danger))).
		OverrideByName("🟡 WARN", stepsOf(anyIs(caution))).
		OverrideByName("🟢 GOOD", stepsOf(always(good)))
}

// managers tells whether systemd answered.
func managers() cog.Builder[dashboard.Panel] {
	return figure(panel{
		title: "Service manager", width: 8, height: 4, unit: "short", noValue: "systemd does not run there",
		description: "Whether systemd told the states. If not, the process table stands in, which knows less.",
		queries:     list(now("A", `min(server_monitor_service_manager_up{job=~"$job", instance=~"$instance"})`, "systemd")),
		mappings:    mapping(answers("1", "ANSWERS|"+good, "0", "AWAY|"+danger)),
	})
}

// usage is what the ten heaviest services take.
func usage(title, description, unit, vector string) cog.Builder[dashboard.Panel] {
	return curves(panel{
		title: title, description: description, width: 12, height: 8, unit: unit,
		noValue: "systemd does not account for it",
		queries: list(history("A", `topk(10, max by (instance, name) (`+vector+`))`, "{{name}} {{instance}}")),
	})
}

// restarts shows which services systemd had to start again.
func restarts() cog.Builder[dashboard.Panel] {
	return stacked(panel{
		title: "Restarts by systemd", width: 12, height: 8, unit: "short", noValue: "None was restarted",
		description: "How often systemd started a service again by itself, which it does when one fails.",
		queries: list(history("A",
			`max by (instance, name) (increase(server_monitor_service_restarts_total{`+ofServices+`}[$__rate_interval])) > 0`,
			"{{name}} {{instance}}")),
	})
}
