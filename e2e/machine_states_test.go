//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// testStates compares the states of all units with what systemctl says.
func (s *server) testStates(t *testing.T) {
	s.Run(t, "sh", "-c", "systemctl start e2e-failed; systemctl start e2e-exited e2e-deactivating;"+
		" systemctl start --no-block e2e-activating; systemctl stop --no-block e2e-deactivating")
	t.Cleanup(func() { s.Run(t, "systemctl", "kill", "--signal=KILL", "e2e-activating", "e2e-deactivating") })
	want := map[string]string{
		"nginx": "active", "ssh": "active", "sshd": "active", "cron": "active", "rsyslog": "active",
		"server-monitor": "active", "e2e-exited": "active",
		"e2e-activating": "activating", "e2e-deactivating": "deactivating", "e2e-failed": "failed",
		"e2e-inactive": "inactive", "e2e-absent": "not_found",
	}
	rig.Eventually(t, 20*time.Second, func() error {
		scrape := s.scrape(t)
		states, err := serviceStates(scrape)
		if err != nil {
			t.Fatal(err)
		}
		for name, state := range want {
			if states[name] != state {
				return fmt.Errorf("%s is %q, want %s", name, states[name], state)
			}
		}
		return compareStates(states, s.listUnits(t))
	})
	s.checkHealth(t)
	s.checkFigures(t)
}

// serviceStates reads the state of each service, of which each must have
// exactly one.
func serviceStates(scrape rig.Scrape) (map[string]string, error) {
	states := make(map[string]string)
	series := make(map[string]int)
	for _, m := range scrape["server_monitor_service_state"].GetMetric() {
		labels := rig.LabelsOf(m)
		if source := labels["source"]; source != "systemd" {
			return nil, fmt.Errorf("%v comes from %q", labels, source)
		}
		series[labels["name"]]++
		if rig.Value(m) == 0 {
			continue
		}
		if other, twice := states[labels["name"]]; twice {
			return nil, fmt.Errorf("%s is %s and %s at once", labels["name"], other, labels["state"])
		}
		states[labels["name"]] = labels["state"]
	}
	for name, n := range series {
		if n != 9 || states[name] == "" {
			return nil, fmt.Errorf("%s: %d series, state %q; want 9 with one 1", name, n, states[name])
		}
	}
	return states, nil
}

// listUnits asks systemctl for the services that are loaded. Those that others
// only mention are left out, and the second name of ssh.
func (s *server) listUnits(t *testing.T) map[string]string {
	t.Helper()
	units := make(map[string]string)
	for line := range strings.Lines(s.Run(t, "systemctl", "list-units", "--all", "--full", "--plain", "--no-legend", "--type=service")) {
		fields := strings.Fields(line)
		name, load, active := strings.TrimSuffix(fields[0], ".service"), fields[1], fields[2]
		if active != "inactive" || load != "not-found" && load != "masked" {
			units[name] = active
		}
	}
	return units
}

// compareStates compares two tellings of all services. Those that the flags of
// the service name may be in ours alone.
func compareStates(got, want map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			return fmt.Errorf("%s is %q, systemctl says %q", name, got[name], want[name])
		}
	}
	for name, state := range got {
		configured := slices.Contains(strings.Fields(options), "--collector.service.name="+name)
		if _, ok := want[name]; !ok && !configured {
			return fmt.Errorf("%s is told to be %s, systemctl does not list it", name, state)
		}
	}
	return nil
}

// checkHealth looks at the colours of the dots.
func (s *server) checkHealth(t *testing.T) {
	t.Helper()
	scrape := s.scrape(t)
	for name, want := range map[string]float64{"nginx": 0, "e2e-activating": 1, "e2e-failed": 2, "e2e-absent": 2} {
		got, err := scrape.Value("server_monitor_service_health", rig.Labels{"name": name})
		if err != nil || got != want {
			t.Errorf("health of %s is %v (%v), want %v", name, got, err, want)
		}
	}
	if up, err := scrape.Value("server_monitor_service_manager_up", nil); err != nil || up != 1 {
		t.Errorf("service_manager_up is %v (%v), want 1", up, err)
	}
}

// checkFigures looks at what systemd alone tells of a service.
func (s *server) checkFigures(t *testing.T) {
	t.Helper()
	since := strings.TrimSpace(s.Run(t, "systemctl", "show", "--timestamp=unix", "--property=ActiveEnterTimestamp", "--value", "nginx"))
	scrape := s.scrape(t)
	start, err := scrape.Value("server_monitor_service_start_time_seconds", rig.Labels{"name": "nginx"})
	if got := fmt.Sprintf("@%d", int64(start)); err != nil || got != since {
		t.Errorf("nginx was started at %s (%v), systemctl says %s", got, err, since)
	}
	pid := s.properties(t, "cron.service")["MainPID"]
	s.Run(t, "kill", "-KILL", pid) // systemd restarts it
	rig.Eventually(t, 20*time.Second, func() error {
		restarts, err := s.scrape(t).Value("server_monitor_service_restarts_total", rig.Labels{"name": "cron"})
		if err == nil && restarts != 1 {
			err = fmt.Errorf("cron was restarted %v times, want 1", restarts)
		}
		return err
	})
}
