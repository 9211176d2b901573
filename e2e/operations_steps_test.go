//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

func (o *operations) afterChecksum(t *testing.T, printed string) {
	if want := filepath.Base(o.versions[0].rpm) + ": OK\n"; printed != want {
		t.Errorf("it prints %q, want %q", printed, want)
	}
}

func (o *operations) afterStart(t *testing.T, printed string) {
	o.checkRunning(t, "0.0.1")
	if !strings.Contains(printed, "capability.CAP_SYS_PTRACE") {
		t.Errorf("doctor and scan say\n%s", printed)
	}
	o.checkExposure(t, "`server-monitor.service`")
	if state := strings.TrimSpace(o.Run(t, "systemctl", "is-enabled", "server-monitor.service")); state != "enabled" {
		t.Errorf("the service is %s, want enabled", state)
	}
}

func (o *operations) afterFlags(t *testing.T, _ string) {
	services := o.scrape(t)["server_monitor_service_state"]
	names := make(map[string]bool)
	for _, m := range services.GetMetric() {
		if rig.LabelsOf(m)["state"] == "not_found" {
			names[rig.LabelsOf(m)["name"]] = true
		}
	}
	if names["docker"] || !names["sshd"] { // Debian calls it ssh
		t.Errorf("reported although absent: %v, want sshd and not docker", names)
	}
}

// runFirewall gives the same options to the offline command of firewalld, with a
// configuration of its own.
func (o *operations) runFirewall(t *testing.T, commands string) {
	rig.NeedPrograms(t, "firewalld", "firewall-offline-cmd")
	folder := filepath.Join(programs.Dir, "firewalld") // kept from step to step
	if err := os.MkdirAll(filepath.Join(folder, "services"), 0o755); err != nil {
		t.Fatal(err)
	}
	packaged, err := os.ReadFile(filepath.Join(o.Root, "/usr/lib/firewalld/services/server-monitor.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "services", "server-monitor.xml"), packaged, 0o600); err != nil {
		t.Fatal(err)
	}
	offline := func(args ...string) string {
		stdout, stderr, status := rig.Run(t, exec.Command("firewall-offline-cmd", append([]string{"--system-config=" + folder}, args...)...), time.Minute)
		if status != 0 {
			t.Fatalf("firewall-offline-cmd %v: exit status %d\n%s%s", args, status, stdout, stderr)
		}
		return stdout
	}
	for line := range strings.Lines(commands) {
		words := strings.Fields(line)
		switch {
		case slices.Equal(words, []string{"firewall-cmd", "--reload"}):
		case len(words) < 3 || words[0] != "firewall-cmd" || words[1] != "--permanent":
			t.Errorf("%q changes no lasting configuration", line)
		default:
			for i, word := range words { // which it calls otherwise
				words[i] = strings.Replace(word, "--remove-service=", "--remove-service-from-zone=", 1)
			}
			offline(words[2:]...)
		}
	}
	offline("--check-config")
	info := offline("--info-service=server-monitor")
	if !strings.Contains(info, "ports: 10042/tcp\n") {
		t.Errorf("the service is %s", info)
	}
	zone := offline("--info-zone=monitoring")
	if !strings.Contains(zone, "sources: 192.0.2.10\n") || !strings.Contains(zone, "services: server-monitor\n") && !strings.Contains(zone, "ports: 8443/tcp\n") {
		t.Errorf("the zone is %s", zone)
	}
}

// afterWeb checks that the metrics ask for a password, over TLS, and that nobody
// is told of the operator listener but this machine.
func (o *operations) afterWeb(t *testing.T, printed string) {
	if !strings.Contains(printed, `server_monitor_processes{verdict="safe"}`) {
		t.Errorf("it prints %q", printed)
	}
	if status, _ := rig.Get(t, o.client, "http://127.0.0.1:10042/metrics"); status != http.StatusBadRequest {
		t.Errorf("metrics in the clear: status %d, want 400", status)
	}
	if status, _ := rig.Get(t, o.client, "http://127.0.0.1:10043/api/v1/services"); status != http.StatusOK {
		t.Errorf("the operator listener: status %d, want 200", status)
	}
	code := o.Run(t, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", "/etc/server-monitor/server.crt", "https://localhost:10042/metrics")
	if code != "401" {
		t.Errorf("without a password: status %s, want 401", code)
	}
}

func (o *operations) afterTokens(t *testing.T, printed string) {
	if !regexp.MustCompile(`(?m)^[0-9a-f]{8}  alice +operator `).MatchString(printed) || !strings.Contains(printed, `"processes":`) {
		t.Errorf("it prints %s", printed)
	}
	for path, want := range map[string]string{
		"/etc/server-monitor": "750 root", tokenFile: "600 root", "/root/alice.token": "600 root", auditFile: "600 server-monitor",
	} {
		if got := strings.TrimSpace(o.Run(t, "stat", "--format=%a %U", path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if text := o.Run(t, "systemd-analyze", "verify", "server-monitor.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	o.checkExposure(t, "`+ termination.conf`")
}

func (o *operations) afterRotation(t *testing.T, printed string) {
	if strings.Count(printed, "alice") != 1 {
		t.Errorf("the tokens are\n%s", printed)
	}
	rig.Eventually(t, 10*time.Second, func() error {
		if answer := o.call(t, o.alice(t), "/processes?limit=1", ""); answer.Status != http.StatusOK {
			return fmt.Errorf("the new token: %s", answer)
		}
		return nil
	})
}

func (o *operations) afterAudit(t *testing.T, printed string) {
	if !regexp.MustCompile(`(?m)^\["[^"]+","alice \([0-9a-f]{8}\)","127.0.0.1","outcome","terminated","sleep",\d+\]$`).MatchString(printed) {
		t.Errorf("it prints %s", printed)
	}
}

func (o *operations) afterMongoDB(t *testing.T, _ string) {
	if text := o.Run(t, "systemd-analyze", "verify", "server-monitor.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	rig.Eventually(t, 30*time.Second, func() error {
		if up := o.metric(t, "server_monitor_policy_store_up", nil); up != 1 {
			return fmt.Errorf("the store is away\n%s", o.Journal(t, "server-monitor.service"))
		}
		return nil
	})
	pid := o.properties(t, "server-monitor.service")["MainPID"]
	for _, file := range []string{"environ", "cmdline"} {
		if strings.Contains(o.Run(t, "cat", "/proc/"+pid+"/"+file), "mongodb://") {
			t.Errorf("%s holds the connection string", file)
		}
	}
}

func (o *operations) afterSeed(t *testing.T, printed string) {
	if !strings.Contains(printed, " added\n") || !strings.Contains(printed, "made linux/acme-agent\n") || !strings.Contains(printed, ": 0 malformed fields") {
		t.Errorf("it prints %s", printed)
	}
}

func (o *operations) afterFleet(t *testing.T, printed string) {
	if !strings.Contains(printed, "SUCCESS: /etc/prometheus/prometheus.yml is valid") || strings.Count(printed, "rules found") < 5 {
		t.Errorf("promtool says %s", printed)
	}
}

// afterAlloy checks the drop-in with a unit of Alloy's package that it fits.
func (o *operations) afterAlloy(t *testing.T, _ string) {
	o.WriteFile(t, "/etc/systemd/system/alloy.service", "[Service]\nExecStart=/usr/bin/env\nUser=nobody\n", 0o644)
	o.Run(t, "systemctl", "daemon-reload")
	if text := o.Run(t, "systemd-analyze", "verify", "alloy.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	if got := o.properties(t, "alloy.service")["AmbientCapabilities"]; got != "cap_dac_read_search" {
		t.Errorf("AmbientCapabilities=%s", got)
	}
	o.Run(t, "systemctl", "start", "alloy.service")
	rig.Eventually(t, 10*time.Second, func() error {
		said, host := o.Journal(t, "alloy.service"), strings.TrimSpace(o.Run(t, "hostname"))
		if !strings.Contains(said, "LOKI_URL=https://loki.example.com/loki/api/v1/push\n") || !strings.Contains(said, "SERVER_MONITOR_HOST="+host+"\n") {
			return fmt.Errorf("the environment is %s", said)
		}
		return nil
	})
}

func (o *operations) afterBackup(t *testing.T, printed string) {
	if !strings.Contains(printed, "0 added, 0 changed, ") || !strings.Contains(o.Run(t, "cat", "/root/policy.json"), "acme-agent") {
		t.Errorf("it prints %s", printed)
	}
}

// afterDoctor: with flags, rights and database of the guide, all is well.
func (o *operations) afterDoctor(t *testing.T, printed string) {
	if strings.Contains(printed, "🔴") || !strings.Contains(printed, "policy.seeded") {
		t.Errorf("doctor says\n%s", printed)
	}
}

func (o *operations) afterUpgraded(t *testing.T, printed string) {
	if !strings.Contains(printed, "version 0.0.1") || !strings.Contains(printed, "\nactive\n") {
		t.Errorf("it prints %s", printed)
	}
}
