//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// TestPrometheus lets Prometheus scrape server-monitor while there are processes
// of every kind, and asks it about them.
func TestPrometheus(t *testing.T) {
	samples := startSamples(t)
	all := programs.StartMonitor(t, "--collector.process.memory-threshold=0", "--collector.process.max-pids=100000",
		ratioFlag)
	usual := programs.StartMonitor(t)
	secured := startSecured(t)
	p := rig.StartPrometheus(t, fmt.Sprintf(`
global: {scrape_interval: 2s, scrape_timeout: 2s}
scrape_configs:
- job_name: all
  static_configs: [{targets: [%q]}]
- job_name: usual
  static_configs: [{targets: [%q]}]
- job_name: secured
  scheme: https
  basic_auth: {username: prometheus, password: %q}
  tls_config: {ca_file: %q, server_name: localhost}
  static_configs: [{targets: [%q]}]
`, all.Address, usual.Address, password, secured.certificate, secured.Address))

	for _, job := range []string{"all", "usual", "secured"} {
		awaitVector(t, p, fmt.Sprintf("up{job=%q} == 1", job), 1)
	}
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		t.Run(name, func(t *testing.T) { askAbout(t, p, samples[name]) })
	}
	t.Run("choice of rows", func(t *testing.T) { askUsual(t, p, samples) })
	t.Run("sums", func(t *testing.T) { askSums(t, p) })
	for _, m := range []*rig.Monitor{all, usual, secured.Monitor} {
		if errs := m.Errors(); len(errs) > 0 {
			t.Errorf("logged: %s", errs)
		}
	}
}

// awaitVector waits until a query brings as many series and returns them.
func awaitVector(t *testing.T, p *rig.Prometheus, query string, count int) []rig.Sample {
	t.Helper()
	var samples []rig.Sample
	rig.Eventually(t, 30*time.Second, func() error {
		var err error
		samples, err = p.Query(query)
		if err == nil && len(samples) != count {
			err = fmt.Errorf("%s brings %v, want %d series", query, samples, count)
		}
		return err
	})
	return samples
}

// askAbout asks for all that is published of one process.
func askAbout(t *testing.T, p *rig.Prometheus, want sampleProcess) {
	t.Helper()
	pid := itoa(want.pid)
	info := awaitVector(t, p, fmt.Sprintf(`server_monitor_process_info{job="all",pid=%q}`, pid), 1)[0].Labels
	if info["verdict"] != want.verdict || info["known"] != strconv.FormatBool(want.known) {
		t.Errorf("the verdict is %s, known %s; want %s, %v", info["verdict"], info["known"], want.verdict, want.known)
	}
	if info["identity"] == "" || info["description"] == "" || info["exe"] == "" {
		t.Errorf("labels are empty: %v", info)
	}
	value := map[string]float64{"safe": 0, "caution": 1, "danger": 2}[want.verdict]
	awaitVector(t, p, fmt.Sprintf(`server_monitor_process_verdict{job="all",pid=%q} == %v`, pid, value), 1)
	warnings := labelsOf(t, p, fmt.Sprintf(`server_monitor_process_warning{job="all",pid=%q}`, pid), "warning", "severity", "subject", "expected")
	if err := compareLines("Prometheus", warnings, "the test", sorted(want.warnings)); err != nil {
		t.Error(err)
	}
	ports := labelsOf(t, p, fmt.Sprintf(`server_monitor_process_listen_port{job="all",pid=%q}`, pid), "port", "protocol", "scope")
	if err := compareLines("Prometheus", ports, "the test", sorted(want.ports)); err != nil {
		t.Error(err)
	}
	awaitVector(t, p, fmt.Sprintf(`(time() - server_monitor_process_start_time_seconds{job="all",pid=%q}) < 600 > 0`, pid), 1)
	awaitVector(t, p, fmt.Sprintf(`server_monitor_process_resident_memory_bytes{job="all",pid=%q} > 100e3`, pid), 1)
}

// labelsOf lists the values of labels of the series that a query brings.
func labelsOf(t *testing.T, p *rig.Prometheus, query string, names ...string) []string {
	t.Helper()
	samples, err := p.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, sample := range samples {
		var values []string
		for _, name := range names {
			values = append(values, sample.Labels[name])
		}
		lines = append(lines, strings.Join(values, "|"))
	}
	return sorted(lines)
}

// askUsual checks that without flags rows are for what deserves one, and that
// the rest is in its group.
func askUsual(t *testing.T, p *rig.Prometheus, samples map[string]sampleProcess) {
	t.Helper()
	for name, sample := range samples {
		rows, err := p.Query(fmt.Sprintf(`server_monitor_process_info{job="usual",pid="%d"}`, sample.pid))
		if want := sample.verdict != "safe"; err != nil || (len(rows) == 1) != want {
			t.Errorf("%s: %d rows (%v); a row is wanted: %v", name, len(rows), err, want)
		}
	}
	awaitVector(t, p, `server_monitor_process_group_processes{job="usual",name="sleep",user="nobody"} >= 2`, 1)
	awaitVector(t, p, fmt.Sprintf(`sum(increase(server_monitor_process_group_cpu_seconds_total{job="usual",name=%q}[10s])) > 0`,
		filepath.Base(programs.Monitor)), 1)
}

// askSums checks that sums and rows agree.
func askSums(t *testing.T, p *rig.Prometheus) {
	t.Helper()
	awaitVector(t, p, `server_monitor_processes{job="all"} == on(verdict) count by (verdict) (server_monitor_process_info{job="all"})`, 3)
	awaitVector(t, p, `server_monitor_process_warnings{job="all",warning="MASQUERADE"} >= 1`, 1)
	awaitVector(t, p, `server_monitor_process_pids_omitted{job="all"} == 0`, 1)
	awaitVector(t, p, `min(server_monitor_scrape_collector_success) == 1`, 1)
	awaitVector(t, p, `count by (job) (server_monitor_service_state == 1) > 0`, 3)
}

// TestPromtool checks names, types and help texts with Prometheus' own linter.
func TestPromtool(t *testing.T) {
	rig.NeedPrograms(t, "prometheus", "promtool")
	startSamples(t)
	m := programs.StartMonitor(t, "--collector.process.memory-threshold=0", "--collector.cpu.per-core")
	_, body := m.Get(t, "/metrics")
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(body)
	stdout, stderr, status := rig.Run(t, check, 20*time.Second)
	if status != 0 || stdout != "" || stderr != "" {
		t.Errorf("promtool check metrics: status %d\n%s%s", status, stdout, stderr)
	}
}
