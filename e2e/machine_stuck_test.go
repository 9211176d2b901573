//go:build e2e

package e2e

import (
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// mountStuck mounts a file system that does not answer until the test is over.
func (s *server) mountStuck(t *testing.T) {
	t.Helper()
	s.Run(t, "mkdir", "-p", "/srv/stuck")
	s.StartSample(t, "e2e-stuck", []string{"ExecStopPost=/bin/umount --lazy /srv/stuck"}, "/opt/e2e/sample", "stuck", "/srv/stuck")
	t.Cleanup(func() { s.Run(t, "systemctl", "stop", "e2e-stuck") })
}

// testStuckMount checks that a file system that does not answer delays nothing
// but itself.
func (s *server) testStuckMount(t *testing.T) {
	s.mountStuck(t)
	for range 3 {
		begin := time.Now()
		scrape := s.scrape(t)
		if took := time.Since(begin); took > 6*time.Second {
			t.Errorf("the scrape took %v", took)
		}
		checkStuck(t, scrape)
	}
}

// checkStuck looks for the file system that does not answer among those that do.
func checkStuck(t *testing.T, scrape rig.Scrape) {
	t.Helper()
	for mount, want := range map[string]float64{"/srv/stuck": 1, "/": 0} {
		got, err := scrape.Value("server_monitor_filesystem_device_error", rig.Labels{"mountpoint": mount})
		if err != nil || got != want {
			t.Errorf("filesystem_device_error of %s is %v (%v), want %v", mount, got, err, want)
		}
	}
	if found := scrape.Find("server_monitor_filesystem_size_bytes", rig.Labels{"mountpoint": "/srv/stuck"}); len(found) != 0 {
		t.Errorf("a file system that does not answer has a size: %v", found)
	}
	for _, name := range []string{"filesystem", "process", "service", "cpu"} {
		if ok, err := scrape.Value("server_monitor_scrape_collector_success", rig.Labels{"collector": name}); err != nil || ok != 1 {
			t.Errorf("success of the collector %s is %v (%v), want 1", name, ok, err)
		}
	}
}
