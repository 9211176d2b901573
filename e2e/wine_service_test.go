//go:build e2e

package e2e

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// winePatience is how long a command may take under wine on a machine that is
// busy.
const winePatience = 2 * time.Minute

// TestWineService lives through the life of the Windows service: installed,
// started by the service control manager, asked, stopped and removed.
func TestWineService(t *testing.T) {
	s := newWineService(t)
	t.Run("refuses flags that are wrong", s.refusesFlags)
	s.run(t, 0, "service", "install", "--", "--web.listen-address="+s.metrics, "--operator.listen-address="+s.operator)
	t.Run("is installed once", s.isInstalledOnce)
	s.run(t, 0, "service", "start")
	t.Run("serves metrics", s.servesMetrics)
	t.Run("serves operators", s.servesOperators)
	t.Run("is examined", s.isExamined)
	t.Run("is stopped and started again", s.isStoppedAndStarted)
	t.Run("is removed", s.isRemoved)
	t.Run("says that it fails", s.saysThatItFails)
}

// wineService is server-monitor under wine, and where its service listens.
type wineService struct {
	wine              *rig.Wine
	exe               string
	metrics, operator string
	client            *http.Client
}

func newWineService(t *testing.T) *wineService {
	t.Helper()
	wine := programs.Wine(t)
	s := &wineService{wine, wine.Exe(t), freeAddress(t), freeAddress(t), &http.Client{Timeout: 30 * time.Second}}
	t.Cleanup(s.client.CloseIdleConnections)
	t.Cleanup(func() { // where the test has failed on the way
		if t.Failed() {
			rig.Run(t, wine.Command(s.exe, "service", "uninstall"), winePatience)
		}
	})
	return s
}

// run runs a command to its exit status, and returns all that it prints.
func (s *wineService) run(t *testing.T, want int, args ...string) string {
	t.Helper()
	stdout, stderr, status := rig.Run(t, s.wine.Command(s.exe, args...), winePatience)
	if status != want {
		t.Errorf("%q: exit status %d, want %d\n%s%s", args, status, want, stdout, stderr)
	}
	return stdout + stderr
}

func (s *wineService) refusesFlags(t *testing.T) {
	for _, wrong := range []string{"--no-such-flag", "--web.max-requests=many", "scan"} {
		if said := s.run(t, 1, "service", "install", "--", wrong); strings.Contains(said, "is installed") {
			t.Error(said)
		}
	}
	if said := s.run(t, 1, "service", "start"); !strings.Contains(said, "open the service server-monitor") {
		t.Error(said)
	}
}

func (s *wineService) isInstalledOnce(t *testing.T) {
	s.run(t, 1, "service", "install")
	// Wine keeps access control lists as far as modes can.
	info, err := os.Stat(filepath.Join(s.wine.ProgramData(), "server-monitor", "tokens.json"))
	if err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// servesMetrics asks what the machine tells under the service's account.
func (s *wineService) servesMetrics(t *testing.T) {
	scrape := rig.ScrapeURL(t, s.client, "http://"+s.metrics+"/metrics")
	for _, collector := range []string{"boot", "cpu", "filesystem", "memory", "process", "service"} {
		s.want(t, scrape, "server_monitor_scrape_collector_success", rig.Labels{"collector": collector}, 1, 1)
	}
	ours := rig.Labels{"name": "server-monitor", "source": "scm", "state": "active"}
	now := float64(time.Now().Unix())
	s.want(t, scrape, "server_monitor_service_state", ours, 1, 1)
	s.want(t, scrape, "server_monitor_service_info", rig.Labels{"name": "server-monitor", "start_type": "auto", "account": "LocalSystem"}, 1, 1)
	s.want(t, scrape, "server_monitor_service_start_time_seconds", rig.Labels{"name": "server-monitor"}, now-winePatience.Seconds(), now+1)
	s.want(t, scrape, "server_monitor_service_manager_up", nil, 1, 1)
	s.want(t, scrape, "server_monitor_boot_time_seconds", nil, 1, now)
	s.want(t, scrape, "server_monitor_cpu_logical_processors", nil, 1, 4096)
	s.want(t, scrape, "server_monitor_cpu_seconds_total", rig.Labels{"mode": "user"}, 0.01, 1e12)
	s.want(t, scrape, "server_monitor_memory_total_bytes", nil, 64<<20, 1<<50)
	s.want(t, scrape, "server_monitor_memory_available_bytes", nil, 1<<20, 1<<50)
	s.want(t, scrape, "server_monitor_filesystem_size_bytes", rig.Labels{"mountpoint": "C:"}, 1<<20, 1<<60)
	if load := scrape.Find("server_monitor_load1", nil); len(load) > 0 {
		t.Errorf("Windows has no load average, but %v", load)
	}
}

// want looks for a value between two others.
func (s *wineService) want(t *testing.T, scrape rig.Scrape, name string, labels rig.Labels, low, high float64) {
	t.Helper()
	if value, err := scrape.Value(name, labels); err != nil || value < low || value > high {
		t.Errorf("%s%v: %v, %v, want %v to %v", name, labels, value, err, low, high)
	}
}

// servesOperators makes a token in the usual file, which holds at once.
func (s *wineService) servesOperators(t *testing.T) {
	url := "http://" + s.operator + "/api/v1/services"
	if status, body := rig.Get(t, s.client, url); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d %s", status, body)
	}
	secret := strings.TrimSpace(s.run(t, 0, "token", "create", "--name=test", "--role=viewer"))
	status, body := rig.Get(t, s.client, url, "Authorization: Bearer "+secret)
	if status != http.StatusOK || !strings.Contains(body, `"name":"server-monitor"`) || !strings.Contains(body, `"account":"LocalSystem"`) {
		t.Errorf("%d %s", status, body)
	}
	if list := s.run(t, 0, "token", "list"); !strings.Contains(list, "viewer") {
		t.Error(list)
	}
}

// isExamined asks doctor, which finds the service at its addresses.
func (s *wineService) isExamined(t *testing.T) {
	said := s.run(t, 0, "doctor", "--web.listen-address="+s.metrics, "--operator.listen-address="+s.operator,
		`--operator.token-file=C:\ProgramData\server-monitor\tokens.json`)
	for _, want := range []string{"🟢 windows.services", "🟢 windows.elevation", "🟢 windows.events", "🟢 tokens"} {
		if !strings.Contains(said, want) {
			t.Errorf("not %q:\n%s", want, said)
		}
	}
}

func (s *wineService) isStoppedAndStarted(t *testing.T) {
	s.run(t, 0, "service", "stop")
	if connection, err := net.DialTimeout("tcp", s.metrics, time.Second); err == nil {
		connection.Close()
		t.Error("it serves after it was stopped")
	}
	s.run(t, 0, "service", "stop") // it has stopped, as was asked
	s.run(t, 0, "service", "start")
	s.run(t, 1, "service", "start")
	if status, _ := rig.Get(t, s.client, "http://"+s.metrics+"/-/healthy"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

func (s *wineService) isRemoved(t *testing.T) {
	s.run(t, 0, "service", "uninstall") // which stops it
	if said := s.run(t, 1, "service", "stop"); !strings.Contains(said, "open the service server-monitor") {
		t.Error(said)
	}
	rig.Eventually(t, winePatience, func() error {
		if connection, err := net.DialTimeout("tcp", s.metrics, time.Second); err == nil {
			return errors.Join(errors.New("it serves after it was removed"), connection.Close())
		}
		return nil
	})
}

// saysThatItFails has a service that cannot serve.
func (s *wineService) saysThatItFails(t *testing.T) {
	taken, err := net.Listen("tcp", s.metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s.run(t, 0, "service", "install", "--start=demand", "--account=virtual", "--", "--operator.off", "--web.listen-address="+s.metrics)
	said := s.run(t, 1, "service", "start")
	if !strings.Contains(said, "the service has stopped with exit code 1066, 1:") { // ERROR_SERVICE_SPECIFIC_ERROR
		t.Error(said)
	}
	s.run(t, 0, "service", "uninstall")
}
