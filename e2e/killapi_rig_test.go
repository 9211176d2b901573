//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// The files of the drop-in that lets the service end processes.
const (
	tokenFile = "/etc/server-monitor/tokens"
	auditFile = "/var/log/server-monitor/audit.jsonl"
	copyFile  = "/var/lib/server-monitor/policy.jsonl"
	uriFile   = "/etc/server-monitor/mongodb-uri"
)

// killServer is a booted Debian server whose server-monitor ends processes, as
// deploy/systemd says, and on which anna is logged in.
type killServer struct {
	*server
	address string // of the operator listener
	tokens  int
}

// The programs of anna. All of them are children of the shell of her session;
// "stubborn" ignores SIGTERM.
const annasPrograms = "sleep 1001 & sleep 1002 & sleep 1003 & sleep 1004 & sleep 1005 & sleep 1006 & " +
	"(trap '' TERM; exec sleep 2001) & (trap '' TERM; exec sleep 2002) & sleep 3001; :"

// bootKillServer boots the server. The service has the given flags.
func bootKillServer(t *testing.T, flags string) *killServer {
	t.Helper()
	s := &killServer{server: &server{Machine: rig.NewMachine(t)}, address: "127.0.0.1:10043"}
	deploy := filepath.Join(programs.Source, "deploy", "systemd")
	s.CopyFile(t, programs.Monitor, "/usr/bin/server-monitor", 0o755)
	for from, to := range map[string]string{
		"server-monitor.service":                    "/etc/systemd/system/server-monitor.service",
		"server-monitor.service.d/termination.conf": "/etc/systemd/system/server-monitor.service.d/termination.conf",
		"server-monitor.sysusers":                   "/usr/lib/sysusers.d/server-monitor.conf",
	} {
		s.CopyFile(t, filepath.Join(deploy, from), to, 0o644)
	}
	s.WriteFile(t, "/etc/default/server-monitor", "SERVER_MONITOR_OPTS="+quoted(flags)+"\n", 0o644)
	s.Prepare(t, "systemd-sysusers", "--root=ROOT")
	s.Boot(t)
	s.client = s.Client(t)
	s.runInSession(t, annasPrograms, "^sleep 3001")
	return s
}

// startMonitor starts the service, or starts it again.
func (s *killServer) startMonitor(t *testing.T) {
	t.Helper()
	if stdout, stderr, status := rig.Run(t, s.Command("systemctl", "restart", "server-monitor.service"), time.Minute); status != 0 {
		t.Fatalf("the service does not start: %s%s\n%s", stdout, stderr, s.Journal(t, "server-monitor.service"))
	}
}

// token makes a token.
func (s *killServer) token(t *testing.T, role string) string {
	t.Helper()
	s.tokens++
	return strings.TrimSpace(s.Run(t, "server-monitor", "token", "create", "--operator.token-file="+tokenFile,
		fmt.Sprintf("--name=%s-%d", role, s.tokens), "--role="+role))
}

// pidOf is the process of anna with a command line.
func (s *killServer) pidOf(t *testing.T, line string) int {
	t.Helper()
	var pid int
	if _, err := fmt.Sscan(s.Run(t, "pgrep", "--full", "^"+line+"$"), &pid); err != nil {
		t.Fatalf("pid of %q: %v", line, err)
	}
	return pid
}

// lives tells whether a process of the server runs.
func (s *killServer) lives(pid int) bool {
	state, err := s.Command("ps", "-o", "state=", "-p", itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(string(state), "Z")
}

// said is what the API answers, as far as the tests look at it.
type said struct {
	Status      int    `json:"-"` // of HTTP
	Code        string // of a problem
	Termination *said  // of a problem

	ID, Outcome, Method string
	Done                bool
	Sent                []string
	Graceful            *bool // on Windows
	Allowed             bool
	Reasons             []struct{ Code, Kind, Text, Detail string }
	Process             struct {
		PID         int
		Identity    string
		Name, User  string
		TrustedName string `json:"trusted_name"`
	}
	Policy struct {
		State, Source    string
		Denied, Degraded bool
		Reason           string
	}
	SoftSeconds float64 `json:"soft_seconds"`
	HardSeconds float64 `json:"hard_seconds"`

	// of a list
	Total     int
	Processes []listedProcess
	Events    []auditLine
}

// listedProcess is a process of a list.
type listedProcess struct {
	reported
	Termination struct {
		Allowed bool
		Reasons []struct{ Code string }
	}
}

// auditLine is a line of the audit.
type auditLine struct {
	Time                         time.Time
	ID, Stage, Decision, Outcome string
	Codes, Sent                  []string
	Actor                        struct{ Name, Role, From string }
	PID                          int
	Identity, Name, Reason, User string
	PolicyState                  string  `json:"policy_state"`
	SoftSeconds                  float64 `json:"soft_seconds"`
}

// codes lists the codes of all reasons of a refusal, or of an inspection.
func (a *said) codes() []string {
	reasons := a.Reasons
	if a.Termination != nil {
		reasons = a.Termination.Reasons
	}
	var codes []string
	for _, r := range reasons {
		codes = append(codes, r.Code)
	}
	return codes
}

// String shows an answer in the messages of tests.
func (a *said) String() string {
	return fmt.Sprintf("status %d, code %q, outcome %q, method %q, sent %v, reasons %v, policy %+v",
		a.Status, a.Code, a.Outcome, a.Method, a.Sent, a.codes(), a.Policy)
}

// call makes a call of the API; one with a body is a POST.
func (s *killServer) call(t *testing.T, token, path, body string) *said {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := &said{Status: response.StatusCode}
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, text)
	}
	return answer
}

// identity is that of a process, from the API.
func (s *killServer) identity(t *testing.T, token string, pid int) string {
	t.Helper()
	path := "/processes/" + itoa(pid)
	var listed listedProcess
	status, text := rig.Get(t, s.client, "http://"+s.address+"/api/v1"+path, "Authorization: Bearer "+token)
	if err := json.Unmarshal([]byte(text), &listed); status != http.StatusOK || err != nil || listed.Identity == "" {
		t.Fatalf("GET %s: status %d, %v: %s", path, status, err, text)
	}
	return listed.Identity
}

// terminate asks to end a process that is named by its identity.
func (s *killServer) terminate(t *testing.T, token string, pid int) *said {
	t.Helper()
	return s.call(t, token, "/processes/"+itoa(pid)+"/terminate", `{"identity":"`+s.identity(t, token, pid)+`","reason":"end-to-end test"}`)
}

// auditLines reads the audit file.
func (s *killServer) auditLines(t *testing.T) []auditLine {
	t.Helper()
	var lines []auditLine
	for text := range strings.Lines(s.Run(t, "cat", auditFile)) {
		var line auditLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("audit: %v: %s", err, text)
		}
		lines = append(lines, line)
	}
	return lines
}
