//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// mayBeEmpty are the queries of dashboards that bring nothing in this test, by
// dashboard, panel and query, and why.
var mayBeEmpty = map[string]string{
	"fleet/Alerts/A":                 "alerts fire after minutes at the earliest",
	"overview/Resources/D":           "the machine may have no swap",
	"overview/Resource history/D":    "the kernel may have no pressure stall information",
	"overview/Resource history/E":    "the kernel may have no pressure stall information",
	"overview/Resource history/F":    "the kernel may have no pressure stall information",
	"overview/Service history/A":     "every service may be well",
	"services/Service manager/A":     "systemd may not run here",
	"services/Service history/A":     "every service may be well",
	"services/Services/B":            "systemd may not run here",
	"services/Services/C":            "systemd may not run here",
	"services/Services/D":            "systemd may not run here, or does not account",
	"services/Services/E":            "systemd may not run here, or does not account",
	"services/Services/F":            "systemd may not run here, or does not account",
	"services/CPU of services/A":     "systemd may not run here, or does not account",
	"services/Memory of services/A":  "systemd may not run here, or does not account",
	"services/Tasks of services/A":   "systemd may not run here, or does not account",
	"services/Restarts by systemd/A": "no service is restarted in the test",
	"processes/Policy/C":             "no policy store is configured",
	"processes/Policy/D":             "no policy store is configured",
	"processes/Terminations/A":       "nobody asks to end a process in the test",
	"processes/Time to end/A":        "nobody asks to end a process in the test",
	"processes/Time to end/B":        "nobody asks to end a process in the test",
}

// dashboardQuery is one query of a panel or of a variable.
type dashboardQuery struct {
	name string // dashboard/panel/query
	kind string // of the data source
	expr string
}

// dashboardFile is what the test reads of a dashboard.
type dashboardFile struct {
	Panels []struct {
		Title   string
		Targets []struct {
			RefID, Expr string
			Datasource  struct{ Type string }
		}
	}
	Templating struct {
		List []struct {
			Name, Type, Definition string
			Datasource             struct{ Type string }
		}
	}
}

// TestDashboards asks a Prometheus that scrapes server-monitor, with samples of
// every warning running and the recording rules loaded, whatever the
// dashboards ask.
func TestDashboards(t *testing.T) {
	startSamples(t)
	m := programs.StartMonitor(t, ratioFlag)
	p := rig.StartPrometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
- job_name: server-monitor
  static_configs: [{targets: [%q]}]
`, filepath.Join(programs.Source, "alerts", "rules", "*.yml"), m.Address))
	awaitVector(t, p, `instance:server_monitor_cpu_usage:ratio_rate5m`, 1)
	awaitVector(t, p, `count_over_time(up[1m]) >= 5`, 1)

	asked := 0
	for _, q := range dashboardQueries(t) {
		if q.kind != "prometheus" {
			continue
		}
		asked++
		t.Run(q.name, func(t *testing.T) { askDashboard(t, p, q, m.Address) })
	}
	if asked < 60 {
		t.Errorf("the dashboards ask only %d queries", asked)
	}
	t.Run("rules", func(t *testing.T) { askRules(t, p) })
	t.Run("one row a process", func(t *testing.T) { askProcessTable(t, p, m.Address) })
}

// askDashboard sends one query and requires an answer, unless it may be empty.
func askDashboard(t *testing.T, p *rig.Prometheus, q dashboardQuery, instance string) {
	t.Helper()
	expr := interpolate(t, q.expr, instance)
	var samples []rig.Sample
	ask := func() error {
		var err error
		if samples, err = p.Query(expr); err == nil && len(samples) == 0 {
			err = fmt.Errorf("no data: %s", expr)
		}
		return err
	}
	if reason, ok := mayBeEmpty[q.name]; ok {
		if _, err := p.Query(expr); err != nil {
			t.Errorf("%v (may be empty: %s)", err, reason)
		}
		return
	}
	rig.Eventually(t, 15*time.Second, ask)
}

// ruleMayBeEmpty are the recording rules that bring nothing in this test.
var ruleMayBeEmpty = map[string]string{
	"instance:server_monitor_swap_usage:ratio":                     "the machine may have no swap",
	"instance:server_monitor_pressure_cpu_waiting:ratio_rate5m":    "the kernel may have no pressure stall information",
	"instance:server_monitor_pressure_memory_stalled:ratio_rate5m": "the kernel may have no pressure stall information",
	"instance:server_monitor_pressure_io_stalled:ratio_rate5m":     "the kernel may have no pressure stall information",
	"pid:server_monitor_process_auto_terminate:info":               "policy lets automation end nothing here",
	"mountpoint:server_monitor_filesystem_files_usage:ratio":       "file systems may have no fixed number of inodes",
}

// askRules checks that Prometheus can evaluate every rule on what
// server-monitor says, and that those that record do.
func askRules(t *testing.T, p *rig.Prometheus) {
	t.Helper()
	rules, err := p.Rules()
	if err != nil {
		t.Fatal(err)
	}
	alerting := 0
	for _, rule := range rules {
		if rule.Health != "ok" {
			t.Errorf("%s is %s: %s", rule.Name, rule.Health, rule.LastError)
		}
		if rule.Type == "alerting" {
			alerting++
			if _, err := p.Query(rule.Query); err != nil {
				t.Errorf("%s: %v", rule.Name, err)
			}
			continue
		}
		samples, err := p.Query(rule.Name)
		if _, ok := ruleMayBeEmpty[rule.Name]; err != nil || (len(samples) == 0 && !ok) {
			t.Errorf("%s brings %d series (%v)", rule.Name, len(samples), err)
		}
	}
	if alerting < 30 {
		t.Errorf("Prometheus knows only %d alerts", alerting)
	}
}

// askProcessTable checks what the table of processes joins: one row a process,
// and every other query at most one row for each, or one for each value that
// is gathered.
func askProcessTable(t *testing.T, p *rig.Prometheus, instance string) {
	t.Helper()
	gathered := map[string]string{"D": "finding", "F": "port"}
	processes := map[string]bool{}
	for _, q := range dashboardQueries(t) {
		if !strings.HasPrefix(q.name, "processes/Risk/") {
			continue
		}
		refID := q.name[len(q.name)-1:]
		samples, err := p.Query(interpolate(t, q.expr, instance))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, s := range samples {
			key := s.Labels["key"]
			if refID == "A" {
				processes[key] = true
			} else if !processes[key] {
				t.Errorf("query %s brings %s, which has no row", refID, key)
			}
			if row := key + "|" + s.Labels[gathered[refID]]; seen[row] {
				t.Errorf("query %s brings %s twice", refID, row)
			} else {
				seen[row] = true
			}
		}
	}
	findings := awaitVector(t, p, fmt.Sprintf(`count(server_monitor_process_warning{instance=%q})`, instance), 1)
	if len(processes) == 0 || findings[0].Value == 0 {
		t.Errorf("%d processes, %v findings", len(processes), findings)
	}
}

// dashboardQueries reads all queries of all dashboards.
func dashboardQueries(t *testing.T) []dashboardQuery {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(programs.Source, "dashboards", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dashboards (%v)", err)
	}
	var queries []dashboardQuery
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file dashboardFile
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		for _, panel := range file.Panels {
			for _, target := range panel.Targets {
				queries = append(queries, dashboardQuery{
					strings.Join([]string{name, panel.Title, target.RefID}, "/"), target.Datasource.Type, target.Expr,
				})
			}
		}
		for _, v := range file.Templating.List {
			if v.Type == "query" && v.Datasource.Type == "prometheus" {
				queries = append(queries, dashboardQuery{
					name + "/$" + v.Name, v.Datasource.Type, labelValues.ReplaceAllString(v.Definition, "count by ($2) ($1)"),
				})
			}
		}
	}
	return queries
}

// labelValues is the function of Grafana that fills a variable.
var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// dashboardVariables are the values that Grafana would put for variables,
// after a regular expression for all.
func dashboardVariables(instance string) map[string]string {
	return map[string]string{
		"job": ".+", "instance": instance, "verdict": ".+", "user": ".*", "pid": ".+", "service": ".+",
		"host": "(server|web-1)", "source": ".*", "unit": ".*", "level": ".*", "search": "",
		"console:doublequote": `"http://$1:10043"`,
		"__rate_interval":     "10s", "__range": "1m", "__interval": "5s", "__auto": "30s",
	}
}

var variable = regexp.MustCompile(`\$\{([a-z_:]+)\}|\$([a-z_]+)`)

// interpolate fills variables as Grafana does.
func interpolate(t *testing.T, expr, instance string) string {
	t.Helper()
	values := dashboardVariables(instance)
	return variable.ReplaceAllStringFunc(expr, func(found string) string {
		name := strings.Trim(found, "${}")
		value, ok := values[name]
		if !ok {
			t.Errorf("variable %s has no value: %s", name, expr)
		}
		return value
	})
}

// TestDashboardsOnceEmpty checks that the list of queries that may be empty
// names none that is not asked.
func TestDashboardsOnceEmpty(t *testing.T) {
	asked := map[string]bool{}
	for _, q := range dashboardQueries(t) {
		asked[q.name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(mayBeEmpty)) {
		if !asked[name] {
			t.Errorf("%s is not asked by any dashboard", name)
		}
	}
}
