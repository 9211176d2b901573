//go:build e2e

package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// server is a booted Debian server on which server-monitor is installed as
// deploy/systemd says.
type server struct {
	*rig.Machine
	client *http.Client
}

// options are the flags of the service on the server.
const options = "--collector.service.name=nginx --collector.service.name=sshd --collector.service.name=ssh " +
	"--collector.service.name=e2e-absent --collector.service.name=e2e-inactive --collector.process.memory-threshold=0 --collector.process.max-pids=1000"

// TestMachine boots one server and looks at it in every way.
func TestMachine(t *testing.T) {
	s := &server{Machine: rig.NewMachine(t)}
	s.install(t)
	s.addServices(t)
	s.Boot(t)
	s.client = s.Client(t)
	t.Run("service", s.testUnit)
	t.Run("verdicts", s.testVerdicts)
	t.Run("processes", s.testProcesses)
	t.Run("states", s.testStates)
	t.Run("ports", s.testPorts)
	t.Run("golden", s.testGolden)
	t.Run("stuck mount", s.testStuckMount)
	t.Run("timeout", s.testTimeout)
	t.Run("stop", s.testStop)
	t.Run("socket", s.testSocket)
}

// install puts server-monitor into the tree, as deploy/systemd says.
func (s *server) install(t *testing.T) {
	t.Helper()
	deploy := filepath.Join(programs.Source, "deploy", "systemd")
	s.CopyFile(t, programs.Monitor, "/usr/bin/server-monitor", 0o755)
	s.CopyFile(t, programs.Sample, "/opt/e2e/sample", 0o755)
	s.CopyFile(t, filepath.Join(deploy, "server-monitor.service"), "/etc/systemd/system/server-monitor.service", 0o644)
	s.CopyFile(t, filepath.Join(deploy, "server-monitor.sysusers"), "/usr/lib/sysusers.d/server-monitor.conf", 0o644)
	s.WriteFile(t, "/etc/default/server-monitor", "SERVER_MONITOR_OPTS="+quoted(options)+"\n", 0o644)
	s.Prepare(t, "systemd-sysusers", "--root=ROOT")
	s.Prepare(t, "systemctl", "--root=ROOT", "enable", "server-monitor.service")
}

// quoted puts a value of an environment file into quotes.
func quoted(value string) string { return `"` + value + `"` }

// addServices adds a unit for each state that a stock server does not show.
func (s *server) addServices(t *testing.T) {
	t.Helper()
	for name, service := range map[string]string{
		"e2e-inactive":     "ExecStart=/bin/sleep infinity",
		"e2e-failed":       "ExecStart=/bin/false",
		"e2e-activating":   "Type=notify\nExecStart=/bin/sleep infinity\nTimeoutStartSec=5min",
		"e2e-deactivating": "ExecStart=/bin/sleep infinity\nExecStop=/bin/sleep infinity\nTimeoutStopSec=5min",
		"e2e-exited":       "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true",
	} {
		s.WriteFile(t, "/etc/systemd/system/"+name+".service",
			"[Unit]\nDescription="+strings.TrimPrefix(name, "e2e-")+"\n[Service]\n"+service+"\n", 0o644)
	}
}

// testUnit checks that the service is up as its own user with its few rights,
// and that systemd sees nothing wrong with the unit.
func (s *server) testUnit(t *testing.T) {
	properties := s.properties(t, "server-monitor.service")
	for name, want := range map[string]string{
		"ActiveState": "active", "SubState": "running", "NRestarts": "0", "User": "server-monitor",
		"AmbientCapabilities": "cap_dac_read_search cap_sys_ptrace",
	} {
		if got := properties[name]; got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
	status := s.Run(t, "cat", "/proc/"+properties["MainPID"]+"/status")
	if !strings.Contains(status, "\nCapPrm:\t0000000000080004\n") { // bits 19 and 2
		t.Errorf("the process has other capabilities than the unit gives it:\n%s", status)
	}
	if text := s.Run(t, "systemd-analyze", "verify", "server-monitor.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	s.checkSight(t)
	// systemd's own grade of the sandbox, from 0 (tight) to 10.
	if text, stderr, status := rig.Run(t, s.Command("systemd-analyze", "security", "--no-pager", "--threshold=25",
		"server-monitor.service"), time.Minute); status != 0 {
		t.Errorf("systemd-analyze security: worse than 2.5\n%s%s", text, stderr)
	}
}

// checkSight checks that neither the user nor the sandbox of the service hides
// anything from it or makes it see something else.
func (s *server) checkSight(t *testing.T) {
	t.Helper()
	scrape := s.scrape(t)
	checkSuccess(t, scrape)
	for _, m := range scrape["server_monitor_process_facts_denied_total"].GetMetric() {
		if rig.Value(m) != 0 {
			t.Errorf("denied %v times: %v", rig.Value(m), rig.LabelsOf(m))
		}
	}
	if n, err := scrape.Value("server_monitor_process_unowned_sockets", nil); err != nil || n != 0 {
		t.Errorf("sockets without an owner: %v (%v), want none", n, err)
	}
	if n, err := scrape.Value("server_monitor_filesystem_readonly", rig.Labels{"mountpoint": "/"}); err != nil || n != 0 {
		t.Errorf("/ is read-only: %v (%v), want 0 as for everybody else", n, err)
	}
}

// properties asks systemd for all properties of a unit.
func (s *server) properties(t *testing.T, unit string) map[string]string {
	t.Helper()
	properties := make(map[string]string)
	for line := range strings.Lines(s.Run(t, "systemctl", "show", unit)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		properties[name] = value
	}
	return properties
}

func (s *server) scrape(t *testing.T) rig.Scrape {
	t.Helper()
	return rig.ScrapeURL(t, s.client, "http://127.0.0.1:10042/metrics")
}
