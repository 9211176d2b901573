//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// databaseURI is how the server reaches its database.
const databaseURI = "mongodb://127.0.0.1:27017/"

// TestKillAPIPolicy ends processes of a booted Debian server by a policy in a
// database that is changed, goes away and comes back. Policy is read again by
// itself once an hour only, so that whatever is seen sooner was read for that
// very termination. The collection is small: FerretDB looks at all of it each
// time, and what takes longer than half a second counts as away.
func TestKillAPIPolicy(t *testing.T) {
	s := bootKillServer(t, "--policy.refresh-interval=1h --policy.mongodb-uri-file="+uriFile)
	s.CopyFile(t, programs.Database(t), "/opt/e2e/ferretdb", 0o755)
	s.Run(t, "mkdir", "-p", "/etc/server-monitor", "/var/lib/ferretdb")
	s.WriteFile(t, uriFile, databaseURI+"\n", 0o600)
	operator, admin := s.token(t, "operator"), s.token(t, "admin")
	s.startMonitor(t)
	t.Run("never reached", func(t *testing.T) { s.testNeverReached(t, operator) })
	t.Run("denied", func(t *testing.T) { s.testPolicyDenies(t, operator, admin) })
	t.Run("away between the signals", func(t *testing.T) { s.testAwayBetween(t, operator) })
	t.Run("away", func(t *testing.T) { s.testAway(t, operator) })
	t.Run("away at the start", func(t *testing.T) { s.testAwayAtStart(t, s.token(t, "operator")) })
	t.Run("back", func(t *testing.T) { s.testBack(t, s.token(t, "operator")) })
}

// startDatabase starts the database of the server. It goes away as if its machine
// had lost power: told to stop, it would wait for its clients.
func (s *killServer) startDatabase(t *testing.T) {
	t.Helper()
	s.Start(t, "ferretdb", []string{"KillSignal=SIGKILL", "SuccessExitStatus=SIGKILL"}, "/opt/e2e/ferretdb", "-listen", "127.0.0.1:27017", "-data", "/var/lib/ferretdb")
	s.awaitStore(t, 1)
}

func (s *killServer) stopDatabase(t *testing.T) {
	t.Helper()
	s.Run(t, "systemctl", "stop", "ferretdb.service")
}

// awaitStore waits until the metrics say whether the database is there.
func (s *killServer) awaitStore(t *testing.T, want float64) {
	t.Helper()
	rig.Eventually(t, 60*time.Second, func() error {
		up, err := s.scrape(t).Value("server_monitor_policy_store_up", nil)
		if err == nil && up != want {
			err = fmt.Errorf("policy_store_up is %v, want %v", up, want)
		}
		return err
	})
}

// policy runs "server-monitor policy" on the server.
func (s *killServer) policy(t *testing.T, args ...string) string {
	t.Helper()
	return s.Run(t, append([]string{"server-monitor", "policy", "--policy.mongodb-uri-file=" + uriFile}, args...)...)
}

// refused checks that a termination is refused, and has no effect.
func (s *killServer) refused(t *testing.T, token string, pid, status int, code, state string) *said {
	t.Helper()
	got := s.terminate(t, token, pid)
	if got.Status != status || got.Termination == nil || !slices.Equal(got.codes(), []string{code}) || got.Termination.Policy.State != state {
		t.Fatalf("%s, want %d %s under %s\n%s", got, status, code, state, s.Journal(t, "server-monitor.service"))
	}
	if !s.lives(pid) {
		t.Error("the process has ended")
	}
	return got
}

// terminated checks that a process is ended under a state of policy.
func (s *killServer) terminated(t *testing.T, token string, pid int, outcome, state string) {
	t.Helper()
	got := s.terminate(t, token, pid)
	if got.Status != http.StatusOK || got.Outcome != outcome || got.Policy.State != state || got.Policy.Degraded != (state == "last_copy") {
		t.Errorf("%s, want %s under %s", got, outcome, state)
	}
	if s.lives(pid) {
		t.Error("the process lives on")
	}
}

// testNeverReached: without any knowledge of what the database forbids, nothing
// is ended.
func (s *killServer) testNeverReached(t *testing.T, operator string) {
	s.awaitStore(t, 0)
	got := s.refused(t, operator, s.pidOf(t, "sleep 1001"), http.StatusServiceUnavailable, "policy-unavailable", "never_reached")
	if !got.Termination.Policy.Degraded {
		t.Errorf("it is not said that the database is away: %s", got)
	}
}

// testPolicyDenies: what is set in the database holds at the next termination.
func (s *killServer) testPolicyDenies(t *testing.T, operator, admin string) {
	s.startDatabase(t)
	pid := s.pidOf(t, "sleep 1001")
	t.Log(s.policy(t, "set", "linux/sleep", "--terminatable=no", "--reason=The night shift counts on it."))
	got := s.refused(t, operator, pid, http.StatusForbidden, "policy-denied", "fresh")
	if p := got.Termination.Policy; p.Reason != "The night shift counts on it." || !p.Denied {
		t.Errorf("policy: %+v", p)
	}
	if check := s.call(t, operator, "/processes/"+itoa(pid)+"/termination", ""); check.Allowed || !check.Policy.Denied {
		t.Errorf("check: %s", check)
	}
	t.Log(s.policy(t, "check", itoa(pid)))
	s.policy(t, "set", "linux/sleep", "--terminatable=yes")
	s.terminated(t, operator, pid, "terminated", "fresh")
	if document := s.call(t, admin, "/policies/linux/sleep", ""); document.Status != http.StatusOK {
		t.Errorf("the document over the API: %s", document)
	}
}

// testAwayBetween: the database goes away between SIGTERM and SIGKILL. What was
// known last still holds, and the answer says so.
func (s *killServer) testAwayBetween(t *testing.T, operator string) {
	stopped := time.AfterFunc(2*time.Second, func() { _ = s.Command("systemctl", "stop", "ferretdb.service").Run() })
	defer stopped.Stop()
	s.terminated(t, operator, s.pidOf(t, "sleep 2001"), "killed", "last_copy")
}

// testAway: what the last good copy forbids stays forbidden, what it permits may
// be done.
func (s *killServer) testAway(t *testing.T, operator string) {
	s.startDatabase(t)
	s.policy(t, "set", "linux/sleep", "--terminatable=no", "--reason=The night shift counts on it.")
	s.startMonitor(t) // reads all of it
	s.awaitStore(t, 1)
	s.stopDatabase(t)
	s.refused(t, operator, s.pidOf(t, "sleep 1002"), http.StatusForbidden, "policy-denied", "last_copy")
	s.startDatabase(t)
	s.policy(t, "set", "linux/sleep", "--terminatable=yes")
	s.startMonitor(t)
	s.awaitStore(t, 1)
	s.stopDatabase(t)
	s.terminated(t, operator, s.pidOf(t, "sleep 1002"), "terminated", "last_copy")
}

// testAwayAtStart: the copy on disk holds where the database is away from the
// start; without it nothing is ended.
func (s *killServer) testAwayAtStart(t *testing.T, operator string) {
	if got := s.Run(t, "stat", "--format=%a %U", copyFile); got != "600 server-monitor\n" {
		t.Errorf("the copy: %s", got)
	}
	s.startMonitor(t)
	s.terminated(t, operator, s.pidOf(t, "sleep 1003"), "terminated", "last_copy")
	s.Run(t, "rm", copyFile)
	s.startMonitor(t)
	s.refused(t, operator, s.pidOf(t, "sleep 1004"), http.StatusServiceUnavailable, "policy-unavailable", "never_reached")
}

// testBack: the database is found again without a restart.
func (s *killServer) testBack(t *testing.T, operator string) {
	s.startDatabase(t)
	s.terminated(t, operator, s.pidOf(t, "sleep 1004"), "terminated", "fresh")
	s.Run(t, "test", "-s", copyFile)
	for _, line := range s.auditLines(t) {
		if line.Stage == "decision" && line.PolicyState == "" {
			t.Errorf("the audit does not say how fresh policy was: %+v", line)
		}
	}
}
