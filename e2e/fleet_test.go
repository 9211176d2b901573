//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"server-monitor/e2e/rig"
)

// TestFleet lets Prometheus run with the example for several servers, and two
// servers: one in the clear, one with a password over TLS.
func TestFleet(t *testing.T) {
	plain, secured := programs.StartMonitor(t), startSecured(t)
	folder := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		// Prometheus takes what it finds, even half of it.
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	deploy := filepath.Join("deploy", "prometheus")
	example := readPage(t, filepath.Join(deploy, "fleet.yml"))
	listed := readPage(t, filepath.Join(deploy, "file_sd", "servers.yaml"))
	change := func(text string, oldnew ...string) string {
		t.Helper()
		for i := 0; i < len(oldnew); i += 2 {
			if !strings.Contains(text, oldnew[i]) {
				t.Errorf("%s is not in\n%s", oldnew[i], text)
			}
		}
		return strings.NewReplacer(oldnew...).Replace(text)
	}
	certificate, err := os.ReadFile(secured.certificate)
	if err != nil {
		t.Fatal(err)
	}
	write("server-monitor.password", password+"\n")
	write("server-monitor-ca.crt", string(certificate))
	for _, rules := range rulesFiles(t) {
		write(filepath.Join("rules", filepath.Base(rules)), readPage(t, filepath.Join("alerts", "rules", filepath.Base(rules))))
	}
	servers := write("file_sd/servers.yaml", "# none yet\n[]\n")
	p := rig.StartPrometheus(t, change(example, "30s", "1s", "scrape_timeout: 10s", "scrape_timeout: 1s",
		"file_sd/*.yaml", filepath.Join(filepath.Dir(servers), "*.yaml"), "rules/*.yml", filepath.Join(folder, "rules", "*.yml"),
		"server-monitor.password", filepath.Join(folder, "server-monitor.password"), "server-monitor-ca.crt", filepath.Join(folder, "server-monitor-ca.crt")))

	// Servers that are added are scraped without a restart.
	write("file_sd/servers.yaml", change(listed, "    - shop1.example.com:10042\n    - shop2.example.com:10042\n", "    - "+plain.Address+"\n",
		"monitor.example.com:8443", strings.Replace(secured.Address, "127.0.0.1", "localhost", 1),
		"- targets:\n    - build1.example.com:10042\n  labels:\n    env: staging\n    owner: build\n", ""))
	awaitVector(t, p, `up{job="server-monitor",instance="127.0.0.1",env="production",owner="shop"} == 1`, 1)
	awaitVector(t, p, `up{job="server-monitor",instance="localhost",owner="web"} == 1`, 1)
	awaitVector(t, p, `count by (instance) (server_monitor_processes{job="server-monitor",verdict="safe"})`, 2)
	awaitVector(t, p, `up{job!~"server-monitor|prometheus"}`, 0)
	awaitVector(t, p, `count by (instance) (server_monitor_service_state{state="active"})`, 2)
	awaitVector(t, p, `server_monitor_service_state{state=~"idle|activating|deactivating|reloading|unsupported"}`, 0)

	// One that is taken away goes.
	write("file_sd/servers.yaml", fmt.Sprintf("- targets: [%q]\n  labels: {owner: shop}\n", plain.Address))
	awaitVector(t, p, `up{job="server-monitor"}`, 1)
	if status, _ := plain.Get(t, "/-/ready"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

// rulesFiles are the rules of the repository.
func rulesFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(programs.Source, "alerts", "rules", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	return files
}
