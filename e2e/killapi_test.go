//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// TestKillAPI ends processes of a booted Debian server over HTTP, and fails to
// end all those that must not be ended.
func TestKillAPI(t *testing.T) {
	s := bootKillServer(t, "")
	viewer, operator, admin := s.token(t, "viewer"), s.token(t, "operator"), s.token(t, "admin")
	s.startMonitor(t)
	t.Run("unit", s.testKillUnit)
	t.Run("list", func(t *testing.T) { s.testList(t, viewer) })
	t.Run("check and dry run", func(t *testing.T) { s.testDryRun(t, viewer, operator) })
	t.Run("obeys", func(t *testing.T) { s.testObeys(t, operator) })
	t.Run("ignores", func(t *testing.T) { s.testIgnores(t, operator) })
	t.Run("mistaken", func(t *testing.T) { s.testMistaken(t, viewer, operator) })
	t.Run("protected", s.testProtected)
	t.Run("audit", func(t *testing.T) { s.testAudit(t, admin) })
	t.Run("metrics", s.testTerminationMetrics)
	t.Run("without the drop-in's right", func(t *testing.T) { s.testWithoutRight(t, s.token(t, "operator")) })
	t.Run("stop", s.testStop)
}

// testKillUnit checks that the drop-in adds what it says and no more, and that
// systemd sees nothing wrong with it.
func (s *killServer) testKillUnit(t *testing.T) {
	properties := s.properties(t, "server-monitor.service")
	for name, want := range map[string]string{
		"ActiveState": "active", "User": "server-monitor", "NRestarts": "0",
		"AmbientCapabilities": "cap_dac_read_search cap_kill cap_sys_ptrace",
	} {
		if got := properties[name]; got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
	status := s.Run(t, "cat", "/proc/"+properties["MainPID"]+"/status")
	for _, set := range []string{"CapPrm", "CapBnd"} {
		if !strings.Contains(status, "\n"+set+":\t0000000000080024\n") { // bits 19, 5 and 2
			t.Errorf("%s is another than the drop-in gives it:\n%s", set, status)
		}
	}
	if text := s.Run(t, "systemd-analyze", "verify", "server-monitor.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	if text, stderr, status := rig.Run(t, s.Command("systemd-analyze", "security", "--no-pager", "--threshold=28",
		"server-monitor.service"), time.Minute); status != 0 {
		t.Errorf("systemd-analyze security: worse than 2.8\n%s%s", text, stderr)
	}
	for path, want := range map[string]string{
		tokenFile: "600 root", auditFile: "600 server-monitor", "/var/log/server-monitor": "750 server-monitor",
		"/var/lib/server-monitor": "700 server-monitor",
	} {
		if got := strings.TrimSpace(s.Run(t, "stat", "--format=%a %U", path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// testList: the list says which processes may be ended: those of anna's session
// but for what carries it, and none else.
func (s *killServer) testList(t *testing.T, viewer string) {
	all := s.call(t, viewer, "/processes?limit=1000", "")
	var allowed []string
	for _, p := range all.Processes {
		if p.Termination.Allowed != (len(p.Termination.Reasons) == 0) {
			t.Errorf("%s: allowed %v, for %v", &p.reported, p.Termination.Allowed, p.Termination.Reasons)
		}
		if p.Termination.Allowed {
			allowed = append(allowed, p.User+" "+p.Name)
		}
	}
	want := slices.Repeat([]string{"anna sleep"}, strings.Count(annasPrograms, "sleep"))
	if all.Status != http.StatusOK || len(all.Processes) < 15 || !slices.Equal(allowed, want) {
		t.Errorf("%s: of %d processes may be ended: %v", all, len(all.Processes), allowed)
	}
	named := s.call(t, viewer, "/processes?user=anna&name=sleep&sort=pid&limit=2", "")
	if len(named.Processes) != 2 || named.Total != len(want) || named.Processes[0].PID >= named.Processes[1].PID {
		t.Errorf("filtered, sorted and paged: %d of %d", len(named.Processes), named.Total)
	}
}

// testDryRun: a check and a dry run say that it may be done, and do nothing.
func (s *killServer) testDryRun(t *testing.T, viewer, operator string) {
	pid := s.pidOf(t, "sleep 1001")
	if check := s.call(t, viewer, "/processes/"+itoa(pid)+"/termination", ""); check.Status != http.StatusOK || !check.Allowed {
		t.Errorf("check: %s", check)
	}
	dry := s.call(t, operator, "/processes/"+itoa(pid)+"/terminate", `{"name":"sleep","dry_run":true}`)
	if dry.Status != http.StatusOK || dry.Outcome != "would_terminate" || len(dry.Sent) != 0 || dry.Process.TrustedName != "sleep" {
		t.Errorf("dry run: %s", dry)
	}
	if !s.lives(pid) {
		t.Error("the process has ended")
	}
}

// testObeys: a process that obeys is ended softly, through the unit's filter of
// system calls.
func (s *killServer) testObeys(t *testing.T, operator string) {
	pid := s.pidOf(t, "sleep 1001")
	done := s.terminate(t, operator, pid)
	if done.Status != http.StatusOK || done.Outcome != "terminated" || done.Method != "soft" || !slices.Contains(done.Sent, "SIGTERM") ||
		slices.Contains(done.Sent, "SIGKILL") || done.SoftSeconds > 2 {
		t.Errorf("%s after %v s", done, done.SoftSeconds)
	}
	if s.lives(pid) {
		t.Error("the process lives on")
	}
	if again := s.call(t, operator, "/terminations/"+done.ID, ""); again.Status != http.StatusOK || again.Outcome != "terminated" || !again.Done {
		t.Errorf("the request, asked for later: %s", again)
	}
	if gone := s.call(t, operator, "/processes/"+itoa(pid)+"/terminate", `{"name":"sleep"}`); gone.Status != http.StatusNotFound {
		t.Errorf("once more: %s", gone)
	}
}

// testIgnores: a process that ignores SIGTERM is killed after the grace period.
func (s *killServer) testIgnores(t *testing.T, operator string) {
	pid := s.pidOf(t, "sleep 2001")
	done := s.terminate(t, operator, pid)
	if done.Status != http.StatusOK || done.Outcome != "killed" || done.Method != "hard" || !slices.Contains(done.Sent, "SIGKILL") ||
		done.SoftSeconds < 4.9 || done.SoftSeconds > 7 {
		t.Errorf("%s after %v s and %v s", done, done.SoftSeconds, done.HardSeconds)
	}
	if s.lives(pid) {
		t.Error("the process lives on")
	}
}

// testMistaken: requests that are not what they should be end nothing.
func (s *killServer) testMistaken(t *testing.T, viewer, operator string) {
	pid := s.pidOf(t, "sleep 1002")
	path, identity := "/processes/"+itoa(pid)+"/terminate", s.identity(t, operator, pid)
	own := `{"identity":"` + identity + `"}`
	other := `{"identity":"` + s.identity(t, operator, s.pidOf(t, "sleep 1003")) + `"}`
	for _, test := range []struct {
		name, token, body string
		status            int
		code              string
	}{
		{"identity of another process", operator, other, http.StatusConflict, "identity-mismatch"},
		{"identity of another start", operator, strings.Replace(own, itoa(pid)+"-", itoa(pid)+"-1", 1), http.StatusConflict, "identity-mismatch"},
		{"name of another program", operator, `{"name":"java"}`, http.StatusConflict, "name-mismatch"},
		{"neither", operator, `{"dry_run":false}`, http.StatusPreconditionRequired, "identity-missing"},
		{"no token", "", own, http.StatusUnauthorized, "unauthorized"},
		{"wrong token", operator[:len(operator)-4] + "0000", own, http.StatusUnauthorized, "unauthorized"},
		{"token of nobody", "smk_0123456789abcdef_" + strings.Repeat("0", 64), own, http.StatusUnauthorized, "unauthorized"},
		{"viewer", viewer, own, http.StatusForbidden, "role"},
	} {
		if got := s.call(t, test.token, path, test.body); got.Status != test.status || got.Code != test.code {
			t.Errorf("%s: %s, want %d %s", test.name, got, test.status, test.code)
		}
	}
	if !s.lives(pid) || !s.lives(s.pidOf(t, "sleep 1003")) {
		t.Error("a process has ended")
	}
	if got := s.call(t, operator, path, own); got.Outcome != "terminated" {
		t.Errorf("afterwards, with the right identity: %s", got)
	}
}

// testProtected asks in earnest to end every process of the server that does not
// belong to anna's work: all of it is refused and lives on.
func (s *killServer) testProtected(t *testing.T) {
	operator := s.token(t, "operator")
	all := s.call(t, operator, "/processes?limit=1000", "")
	want := s.protectedProcesses(t)
	asked := 0
	for _, p := range all.Processes {
		if p.Termination.Allowed {
			continue
		}
		if asked++; asked%8 == 0 {
			operator = s.token(t, "operator") // each may ask ten times a minute
		}
		got := s.call(t, operator, "/processes/"+itoa(p.PID)+"/terminate", `{"identity":"`+p.Identity+`"}`)
		if got.Status != http.StatusForbidden || got.Termination == nil || got.Termination.Outcome != "refused" || len(got.Termination.Sent) != 0 {
			t.Errorf("%s: %s", &p.reported, got)
			continue
		}
		if code := want[p.PID]; code != "" && !slices.Contains(got.codes(), code) {
			t.Errorf("%s: %v, want %s too", &p.reported, got.codes(), code)
		}
		delete(want, p.PID)
	}
	for pid, code := range want {
		t.Errorf("process %d was not asked for: %s", pid, code)
	}
	t.Logf("protected processes: %d, asked to end: %d, ended: %d", asked, asked, asked-s.stillThere(t, all.Processes))
	if alive := s.stillThere(t, all.Processes); asked < 15 || alive != asked {
		t.Errorf("of %d protected processes %d are alive", asked, alive)
	}
}

// protectedProcesses are processes of every kind that must not be ended, with a
// guard that must protect each.
func (s *killServer) protectedProcesses(t *testing.T) map[int]string {
	t.Helper()
	want := map[int]string{1: "pid-1"}
	for command, code := range map[string]string{
		"systemctl show --property=MainPID --value server-monitor": "self",
		"systemctl show --property=MainPID --value ssh":            "sshd-session",
		"systemctl show --property=MainPID --value cron":           "uid-0",
		"systemctl show --property=MainPID --value dbus":           "service-account",
		"pgrep --oldest --uid www-data nginx":                      "system-slice",
		"pgrep --oldest --uid postgres postgres":                   "service-account",
		"pgrep --uid anna bash":                                    "session-leader",
		"pgrep --uid anna sshd":                                    "sshd-session",
		"pgrep --oldest --uid anna systemd":                        "systemd-user",
	} {
		var pid int
		if _, err := fmt.Sscan(s.Run(t, strings.Fields(command)...), &pid); err != nil || pid <= 1 {
			t.Fatalf("%s: %v", command, err)
		}
		want[pid] = code
	}
	return want
}

// stillThere counts the processes of a list that may not be ended and are there
// as they were.
func (s *killServer) stillThere(t *testing.T, before []listedProcess) int {
	t.Helper()
	now := make(map[string]bool)
	for _, p := range s.call(t, s.token(t, "viewer"), "/processes?limit=1000", "").Processes {
		now[p.Identity] = true
	}
	alive := 0
	for _, p := range before {
		if !p.Termination.Allowed && now[p.Identity] {
			alive++
		}
	}
	return alive
}

// auditMessage is how a line of the audit begins in the journal.
var auditMessage = regexp.MustCompile(`msg="(Termination|Login) audit"`)

// testAudit: every decision is in the file, in the journal and in the API.
func (s *killServer) testAudit(t *testing.T, admin string) {
	lines := s.auditLines(t)
	journal := s.Journal(t, "server-monitor.service")
	counts := make(map[string]int)
	for _, line := range lines {
		counts[line.Stage+" "+line.Decision+" "+line.Outcome]++
		if line.ID == "" || line.Actor.Name == "" || line.Actor.From != "127.0.0.1" || line.Time.IsZero() {
			t.Errorf("incomplete: %+v", line)
		}
		if !strings.Contains(journal, line.ID) {
			t.Errorf("not in the journal: %+v", line)
		}
	}
	t.Log(counts)
	for kind, want := range map[string]int{
		"decision accepted ": 3, "escalation accepted ": 1, "outcome  terminated": 2, "outcome  killed": 1, "decision dry_run would_terminate": 1,
	} {
		if counts[kind] != want {
			t.Errorf("%d lines of %q, want %d", counts[kind], kind, want)
		}
	}
	if n := len(auditMessage.FindAllString(journal, -1)); n != len(lines) {
		t.Errorf("%d lines in the journal, %d in the file", n, len(lines))
	}
	if refused := counts["decision refused refused"]; refused < 15+4 {
		t.Errorf("%d refusals", refused)
	}
	if listed := s.call(t, admin, "/audit?limit=1000", ""); len(listed.Events) != len(lines) {
		t.Errorf("the API has %d of %d", len(listed.Events), len(lines))
	}
	if strings.Contains(journal, admin) || !strings.Contains(journal, "login failed") {
		t.Error("the journal holds a token, or lacks the failed logins")
	}
}

// testTerminationMetrics compares the counters with the audit.
func (s *killServer) testTerminationMetrics(t *testing.T) {
	scrape := s.scrape(t)
	for _, want := range []struct {
		result, method string
		min, max       float64
	}{
		{"terminated", "soft", 2, 2}, {"killed", "hard", 1, 1}, {"would_terminate", "none", 1, 1}, {"refused", "none", 15, 1000},
	} {
		labels := rig.Labels{"result": want.result, "method": want.method, "actor": "operator"}
		if n, err := scrape.Value("server_monitor_termination_requests_total", labels); err != nil || n < want.min || n > want.max {
			t.Errorf("%v: %v (%v), want %v to %v", labels, n, err, want.min, want.max)
		}
	}
}

// testWithoutRight: what the unit may without the drop-in does not suffice, and
// the answer says so.
func (s *killServer) testWithoutRight(t *testing.T, operator string) {
	reader := *s
	reader.address = "127.0.0.1:10097"
	s.Start(t, "e2e-reader", []string{"User=server-monitor", "AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH"},
		"server-monitor", "--web.listen-address=127.0.0.1:10098", "--operator.listen-address="+reader.address, "--operator.token-file="+tokenFile)
	rig.Eventually(t, 20*time.Second, func() error {
		response, err := s.client.Get("http://" + reader.address + "/")
		if err == nil {
			response.Body.Close()
		}
		return err
	})
	pid := s.pidOf(t, "sleep 1003")
	got := reader.terminate(t, operator, pid)
	if got.Status != http.StatusNotImplemented || !slices.Equal(got.codes(), []string{"not-permitted"}) {
		t.Errorf("%s, want 501 not-permitted", got)
	}
	if !s.lives(pid) {
		t.Error("the process has ended")
	}
}
