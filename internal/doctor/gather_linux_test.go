package doctor

import (
	"os"
	"path/filepath"
	"testing"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
	"server-monitor/internal/token"
)

// TestGather asks this machine, with files of its own.
func TestGather(t *testing.T) {
	folder := t.TempDir()
	tokens := token.File{Path: filepath.Join(folder, "tokens")}
	if _, _, err := tokens.Create("ann", token.Operator, now.AddDate(100, 0, 0)); err != nil {
		t.Fatal(err)
	}
	config := &Config{
		Process: process.Config{Proc: "/proc", Root: "/"}, Language: language.English,
		TokenFile: tokens.Path, AuditFile: filepath.Join(folder, "audit"),
		Listeners: []Listener{{Flag: "web.listen-address", Address: "127.0.0.1:0"}},
	}
	f := Gather(t.Context(), config)
	if f.Proc.Err != nil || f.Capabilities.Err != nil || f.Files.Err != nil || f.Files.Processes == 0 || f.Files.Limit == 0 || f.Clock.Err != nil {
		t.Errorf("%+v", f)
	}
	levels := make(map[string]Level)
	for _, finding := range Examine(f) {
		levels[finding.Check] = finding.Level
		t.Logf("%s %s: %s", finding.Check, finding.Level, finding.Found.English)
	}
	for _, check := range []string{"kernel.sock_diag", "proc.mount", "policy.store", "tokens", "audit", "listener.web"} {
		if level, ok := levels[check]; !ok || level != OK {
			t.Errorf("%s: %v %v", check, level, ok)
		}
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 2 { // the tokens and their lock
		t.Errorf("left behind: %v", entries)
	}

	config.PID = os.Getppid()
	if f := Gather(t.Context(), config); f.Capabilities.Err != nil || f.Files.Err != nil || f.Files.Limit == 0 {
		t.Errorf("the parent: %+v %+v", f.Capabilities, f.Files)
	}
	config.PID = 1 << 30
	if f := Gather(t.Context(), config); f.Capabilities.Err == nil || f.Files.Err == nil {
		t.Errorf("a process that is not there: %+v %+v", f.Capabilities, f.Files)
	}
	if err := os.Chmod(tokens.Path, 0o644); err != nil {
		t.Fatal(err)
	}
	if f := checkTokens(Gather(t.Context(), config))[0]; f.Level != Failed {
		t.Errorf("%+v", f)
	}
}
