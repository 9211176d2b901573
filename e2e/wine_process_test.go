//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// wineServer is server-monitor.exe under wine, with what runs there beside it.
type wineServer struct {
	*killServer // for the calls of its API
	wine        *rig.Wine
	metrics     string // the address of the metrics listener
	audit       string
	tokenFile   string
}

// TestWineProcesses lets the whole program look at processes of Windows, and end
// them.
func TestWineProcesses(t *testing.T) {
	wine := programs.Wine(t)
	sample := buildWineSample(t)
	for _, place := range []string{`C:\windows\temp\dropped tool.exe`, `C:\Program Files\Tool\tool.exe`} {
		wineCopy(t, wine, sample, place)
		rig.Start(t, wine.Command(place, "sleep"))
	}
	rig.Start(t, wine.Command("notepad"))
	s := startWineServer(t, wine)
	t.Run("scan", s.scans)
	t.Run("metrics", s.publishes)
	operator := s.wineToken(t, "operator")
	t.Run("a program without a window", func(t *testing.T) { s.endsAbruptly(t, operator) })
	t.Run("a program with a window", func(t *testing.T) { s.endsSoftly(t, operator) })
	t.Run("a wrong identity", func(t *testing.T) { s.refusesOthers(t, operator) })
	t.Run("services and itself", func(t *testing.T) { s.refusesServices(t, operator) })
	t.Run("audit", s.audits)
}

// buildWineSample builds e2e/sample for Windows.
func buildWineSample(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "sample.exe")
	cmd := exec.Command("go", "build", "-o", exe, "./e2e/sample")
	cmd.Dir = programs.Source
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return exe
}

// wineLimit is how long a command may take under wine on a machine that is busy.
const wineLimit = 2 * time.Minute

// wineCopy copies a program to a place on drive C:, until the test ends.
func wineCopy(t *testing.T, wine *rig.Wine, program, place string) {
	t.Helper()
	if folder := place[:strings.LastIndexByte(place, '\\')]; folder != `C:\windows\temp` {
		rig.Run(t, wine.Command("cmd", "/c", "mkdir", folder), wineLimit)
	}
	if stdout, stderr, status := rig.Run(t, wine.Command("cmd", "/c", "copy", "/y", wine.Path(program), place), wineLimit); status != 0 {
		t.Fatalf("copy to %s: %d %s%s", place, status, stdout, stderr)
	}
	t.Cleanup(func() { rig.Run(t, wine.Command("cmd", "/c", "del", "/f", place), wineLimit) })
}

func startWineServer(t *testing.T, wine *rig.Wine) *wineServer {
	t.Helper()
	s := &wineServer{killServer: &killServer{server: &server{client: &http.Client{Timeout: wineLimit}}, address: freeAddress(t)}, wine: wine}
	t.Cleanup(s.client.CloseIdleConnections)
	s.audit = filepath.Join(t.TempDir(), "audit.jsonl")
	s.tokenFile = filepath.Join(t.TempDir(), "tokens")
	s.wineToken(t, "viewer")
	s.metrics = freeAddress(t)
	rig.AwaitMonitor(t, wine.Command(wine.Exe(t), "--web.listen-address="+s.metrics, "--operator.listen-address="+s.address,
		"--operator.token-file="+wine.Path(s.tokenFile), "--audit.file="+wine.Path(s.audit), "--terminate.grace=10s"))
	rig.Eventually(t, wineLimit, func() error {
		response, err := s.client.Get("http://" + s.address + "/-/healthy")
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
	return s
}

// wineToken makes a token.
func (s *wineServer) wineToken(t *testing.T, role string) string {
	t.Helper()
	stdout, stderr, status := rig.Run(t, s.wine.Command(s.wine.Exe(t), "token", "create", "--operator.token-file="+s.wine.Path(s.tokenFile),
		"--name="+role, "--role="+role), wineLimit)
	if status != 0 {
		t.Fatalf("token create: %d %s%s", status, stdout, stderr)
	}
	return strings.TrimSpace(stdout)
}

// scans prints the same assessment once. It is a danger that a program runs
// where everybody may put files.
func (s *wineServer) scans(t *testing.T) {
	stdout, stderr, status := rig.Run(t, s.wine.Command(s.wine.Exe(t), "scan", "--output=json", "--fail-on=danger"), wineLimit)
	var found struct{ Processes []wineProcess }
	if err := json.Unmarshal([]byte(stdout), &found); status == 0 || err != nil {
		t.Fatalf("exit status %d, %v\n%s%s", status, err, stdout, stderr)
	}
	for name, want := range map[string]wineProcess{
		"dropped tool.exe": {Exe: "C:/windows/temp/dropped tool.exe", Verdict: "danger"},
		"tool.exe":         {Exe: "C:/Program Files/Tool/tool.exe", Verdict: "danger"}, // its user is an administrator
	} {
		p := wineNamed(found.Processes, name)
		if p == nil || !strings.EqualFold(p.Exe, want.Exe) || p.Verdict != want.Verdict || !strings.HasSuffix(p.User, `\root`) || p.PID == 0 {
			t.Errorf("%s: %+v, want %+v", name, p, want)
			continue
		}
		codes := fmt.Sprint(p.Findings)
		if strings.Contains(codes, "SUSPICIOUS_PATH danger") != (name == "dropped tool.exe") {
			t.Errorf("%s: %s", name, codes)
		}
	}
	if p := wineNamed(found.Processes, "services.exe"); p == nil || !p.Known {
		t.Errorf("services.exe: %+v", p)
	}
}

// wineProcess is a process as scan tells it.
type wineProcess struct {
	PID                      int
	Name, Exe, User, Verdict string
	Known                    bool
	Findings                 []struct{ Warning, Severity string }
}

func wineNamed(all []wineProcess, name string) *wineProcess {
	i := slices.IndexFunc(all, func(p wineProcess) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

func (s *wineServer) publishes(t *testing.T) {
	scrape := rig.ScrapeURL(t, s.client, "http://"+s.metrics+"/metrics")
	for name, labels := range map[string]rig.Labels{
		"server_monitor_process_info":    {"name": "dropped tool.exe", "verdict": "danger"},
		"server_monitor_process_warning": {"name": "dropped tool.exe", "warning": "SUSPICIOUS_PATH", "severity": "danger"},
	} {
		if value, err := scrape.Value(name, labels); err != nil || value != 1 {
			t.Errorf("%s%v: %v %v", name, labels, value, err)
		}
	}
	if value, err := scrape.Value("server_monitor_process_resident_memory_bytes", rig.Labels{"name": "dropped tool.exe"}); err != nil || value < 1<<18 {
		t.Errorf("memory: %v %v", value, err)
	}
}

// winePID finds a process by its name, through the API.
func (s *wineServer) winePID(t *testing.T, token, name string) int {
	t.Helper()
	answer := s.call(t, token, "/processes?limit=500", "")
	for _, p := range answer.Processes {
		if p.Name == name {
			return p.PID
		}
	}
	t.Fatalf("no %s among %d processes", name, len(answer.Processes))
	return 0
}

func (s *wineServer) endsAbruptly(t *testing.T, token string) {
	pid := s.winePID(t, token, "dropped tool.exe")
	inspected := s.call(t, token, "/processes/"+itoa(pid)+"/termination", "")
	if !inspected.Allowed {
		t.Fatal(inspected)
	}
	answer := s.terminate(t, token, pid)
	if answer.Outcome != "killed" || answer.Method != "hard" || !slices.Equal(answer.Sent, []string{"TerminateProcess"}) || answer.Graceful == nil || *answer.Graceful {
		t.Errorf("%v, graceful %v", answer, answer.Graceful)
	}
	if gone := s.call(t, token, "/processes/"+itoa(pid)+"/termination", ""); gone.Status != http.StatusNotFound && !slices.Equal(gone.codes(), []string{"zombie"}) {
		t.Errorf("afterwards: %v", gone)
	}
}

func (s *wineServer) endsSoftly(t *testing.T, token string) {
	answer := s.terminate(t, token, s.winePID(t, token, "notepad.exe"))
	if answer.Outcome != "terminated" || answer.Method != "soft" || !slices.Equal(answer.Sent, []string{"WM_CLOSE"}) || answer.Graceful == nil || !*answer.Graceful {
		t.Errorf("%v, graceful %v", answer, answer.Graceful)
	}
}

// refusesOthers asks for the process that bore the pid before.
func (s *wineServer) refusesOthers(t *testing.T, token string) {
	pid := s.winePID(t, token, "tool.exe")
	parts := strings.Split(s.identity(t, token, pid), "-")
	earlier := parts[0] + "-" + "134000000000000000" + "-" + parts[2]
	answer := s.call(t, token, "/processes/"+itoa(pid)+"/terminate", `{"identity":"`+earlier+`"}`)
	if answer.Status != http.StatusConflict || !slices.Equal(answer.codes(), []string{"identity-mismatch"}) {
		t.Error(answer)
	}
	s.winePID(t, token, "tool.exe") // still runs
}

func (s *wineServer) refusesServices(t *testing.T, token string) {
	for name, want := range map[string]string{"svchost.exe": "service-host", "plugplay.exe": "hosts-service", "services.exe": "windows-core", "server-monitor.exe": "self"} {
		answer := s.terminate(t, token, s.winePID(t, token, name))
		if answer.Status != http.StatusForbidden || !slices.Contains(answer.codes(), want) {
			t.Errorf("%s: %v, want %s", name, answer, want)
		}
	}
}

// audits reads what was written of all that: an intent before each end.
func (s *wineServer) audits(t *testing.T) {
	file, err := os.Open(s.audit)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var stages []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			auditLine
			SID string
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Name == "dropped tool.exe" || line.Name == "notepad.exe" {
			stages = append(stages, line.Name+" "+line.Stage+" "+line.Decision+line.Outcome)
		}
		if line.Name != "" && !strings.HasPrefix(line.SID, "S-1-5-21-") || time.Since(line.Time) > time.Hour {
			t.Errorf("%s", lines.Text())
		}
	}
	want := []string{
		"dropped tool.exe decision accepted", "dropped tool.exe escalation accepted", "dropped tool.exe outcome killed",
		"notepad.exe decision accepted", "notepad.exe outcome terminated",
	}
	if !slices.Equal(stages, want) {
		t.Errorf("%q, want %q", stages, want)
	}
}
