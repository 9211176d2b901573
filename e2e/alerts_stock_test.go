//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// monitorless talks to what is not server-monitor.
var monitorless = &http.Client{Timeout: 30 * time.Second}

// soak is how long a stock server is watched.
const soak = 2 * time.Minute

// TestAlertsOnStockServer watches a stock Debian server with nginx, sshd,
// rsyslog, cron and databases, on which nothing is wrong: no alert may fire, nor
// wait to.
func TestAlertsOnStockServer(t *testing.T) {
	s := &server{Machine: rig.NewMachine(t)}
	s.install(t)
	s.WriteFile(t, "/etc/default/server-monitor", "", 0o644) // the flags as they are without any
	s.Boot(t)
	s.client = s.Client(t)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "127.0.0.1:10042"})
		},
		Transport: s.client.Transport,
	})
	t.Cleanup(proxy.Close)
	a := startAlerting(t, strings.TrimPrefix(proxy.URL, "http://"), "127.0.0.1:1", "/nonexistent")
	time.Sleep(soak)
	awaitVector(t, a.prometheus, "up == 1", 1)
	awaitVector(t, a.prometheus, "instance:server_monitor_processes_danger:sum == 0", 1)
	samples, err := a.prometheus.Query("max_over_time(ALERTS[10m])")
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range samples {
		if isMachines(sample.Labels) {
			t.Logf("of the machine that the tests run on: %v", sample.Labels)
			continue
		}
		t.Errorf("%v", sample.Labels)
	}
	if alerts, err := a.alertmanager.Alerts(`alertname=~"ServerMonitor(Service|Policy|Termin|New|Danger|Unknown|World|Deleted|Fileless|Masq|Many|Down|Collector|Pids|Auto).*"`); err != nil || len(alerts) > 0 {
		t.Errorf("Alertmanager: %v, %v", alerts, err)
	}
}

// isMachines tells an alert on the host whose processors, memory and disks the
// server shares; it may be busy or full for reasons of its own.
func isMachines(labels rig.Labels) bool {
	name := strings.TrimPrefix(labels["alertname"], "ServerMonitor")
	for _, prefix := range []string{"CPU", "Memory", "IO", "Disk", "Inodes"} {
		if labels["alertstate"] == "pending" && strings.HasPrefix(name, prefix) && labels["component"] == "host" {
			return true
		}
	}
	return false
}
