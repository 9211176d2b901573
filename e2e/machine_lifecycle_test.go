//go:build e2e

package e2e

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// testTimeout checks that a scrape ends before Prometheus gives up, and brings
// what is there by then.
func (s *server) testTimeout(t *testing.T) {
	s.mountStuck(t)
	s.Start(t, "e2e-patient", nil, "server-monitor", "--operator.off", "--web.listen-address=127.0.0.1:10099", "--collector.filesystem.mount-timeout=5m")
	url := "http://127.0.0.1:10099/metrics"
	rig.Eventually(t, 20*time.Second, func() error {
		response, err := s.client.Get("http://127.0.0.1:10099/-/ready")
		if err == nil {
			response.Body.Close()
		}
		return err
	})
	begin := time.Now() // half a second is kept for the way; the rest is for a machine under load
	scrape := rig.ScrapeURL(t, s.client, url, "X-Prometheus-Scrape-Timeout-Seconds: 2.5")
	if took := time.Since(begin); took < 1900*time.Millisecond || took > 4*time.Second {
		t.Errorf("the scrape took %v of 2.5 s", took)
	}
	for name, want := range map[string]float64{"filesystem": 0, "process": 1, "service": 1, "load": 1} {
		if ok, err := scrape.Value("server_monitor_scrape_collector_success", rig.Labels{"collector": name}); err != nil || ok != want {
			t.Errorf("success of the collector %s is %v (%v), want %v", name, ok, err, want)
		}
	}
	if found := scrape.Find("server_monitor_filesystem_size_bytes", nil); len(found) != 0 {
		t.Errorf("%d file systems of a collector that was cut off", len(found))
	}
	scrape = rig.ScrapeURL(t, s.client, url+"?exclude[]=filesystem", "X-Prometheus-Scrape-Timeout-Seconds: 2.5")
	if ok, err := scrape.Value("server_monitor_scrape_collector_success", rig.Labels{"collector": "process"}); err != nil || ok != 1 {
		t.Errorf("the next scrape: success of the collector process is %v (%v), want 1", ok, err)
	}
}

// testStop checks that systemd sees the service stop in order.
func (s *server) testStop(t *testing.T) {
	begin := time.Now()
	s.Run(t, "systemctl", "stop", "server-monitor.service")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("systemctl stop took %v", took)
	}
	properties := s.properties(t, "server-monitor.service")
	for name, want := range map[string]string{"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"} {
		if got := properties[name]; got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
	if journal := s.Journal(t, "server-monitor.service"); strings.Contains(journal, "level=ERROR") || !strings.Contains(journal, "stopping") {
		t.Errorf("the journal:\n%s", journal)
	}
}

// testSocket checks that systemd can open the port: the first scrape starts the
// service, and none is refused while it is restarted.
func (s *server) testSocket(t *testing.T) {
	s.CopyFile(t, filepath.Join(programs.Source, "deploy", "systemd", "server-monitor.socket"),
		"/etc/systemd/system/server-monitor.socket", 0o644)
	s.WriteFile(t, "/etc/default/server-monitor", `SERVER_MONITOR_OPTS="--web.systemd-socket"`+"\n", 0o644)
	s.Run(t, "systemctl", "daemon-reload")
	s.Run(t, "systemctl", "start", "server-monitor.socket")
	if state := s.properties(t, "server-monitor.service")["ActiveState"]; state != "inactive" {
		t.Fatalf("the service is %s before the first scrape", state)
	}
	checkSuccess(t, s.scrape(t))
	if state := s.properties(t, "server-monitor.service")["ActiveState"]; state != "active" {
		t.Errorf("the service is %s after the first scrape", state)
	}
	first := s.properties(t, "server-monitor.service")["MainPID"]
	restarted := make(chan error)
	go func() { restarted <- s.Command("systemctl", "restart", "server-monitor.service").Run() }()
	for over := false; !over; {
		select {
		case err := <-restarted:
			if err != nil {
				t.Fatal(err)
			}
			over = true
		default:
		}
		s.client.CloseIdleConnections() // a connection of the old process ends with it
		response, err := s.client.Get("http://127.0.0.1:10042/-/ready")
		if err == nil {
			response.Body.Close()
		} else if errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("refused while the service is restarted: %v", err)
		}
	}
	if second := s.properties(t, "server-monitor.service")["MainPID"]; second == first {
		t.Error("the service was not restarted")
	}
}
