package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
	"server-monitor/internal/token"
)

var now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// healthy are the facts of a machine on which all works.
func healthy() *Facts {
	return &Facts{
		Native: true, Terminations: true,
		Capabilities: Capabilities{Effective: 1<<19 | 1<<2 | 1<<5},
		Proc:         Proc{Path: "/proc", Options: []string{"rw", "nosuid"}},
		Systemd:      Systemd{Booted: true, Services: 40},
		Journal:      Journal{Wanted: true, Lines: 1},
		Policy:       Policy{Configured: true, Address: "mongodb://db", Documents: 300, Indexed: true, CopyFile: "/var/lib/x"},
		Tokens:       Tokens{Path: "/etc/tokens", Records: []token.Record{{ID: "0123abcd", Name: "ann"}}},
		Audit:        Audit{Path: "/var/log/audit"},
		Listeners: []Listener{
			{Flag: "web.listen-address", Address: ":10042"},
			{Flag: "operator.listen-address", Address: "127.0.0.1:10043", Err: syscall.EADDRINUSE, InUse: true, Owner: "server-monitor", PID: 7},
		},
		Files:    Files{Limit: 1 << 18, Processes: 3000},
		Clock:    Clock{Now: now, Boot: now.Add(-time.Hour)},
		Language: Language{Chosen: language.Korean, Locale: "ko_KR.UTF-8"},
	}
}

func TestHealthy(t *testing.T) {
	for _, f := range Examine(healthy()) {
		if f.Level != OK || f.Remedy != (language.Text{}) {
			t.Errorf("%s is %s: %s", f.Check, f.Level, f.Found.English)
		}
	}
}

// TestIll changes one fact at a time: what must be said of it, and that nothing
// else is.
func TestIll(t *testing.T) {
	refused := errors.New("connection refused")
	for _, test := range []struct {
		name   string
		change func(*Facts)
		check  string
		level  Level
		found  string
		remedy string
	}{
		{"no pidfd", func(f *Facts) { f.Kernel.Handles = process.ErrNoPidfd }, "kernel.pidfd", Failed, "none can be ended", "5.3"},
		{"no pidfd, no terminations", func(f *Facts) { f.Kernel.Handles, f.Terminations = process.ErrNoPidfd, false }, "kernel.pidfd", Degraded, "pidfd", "pidfd_open"},
		{"foreign /proc", func(f *Facts) { f.Kernel.Handles = fmt.Errorf("x: %w", process.ErrForeignProc) }, "proc.namespace", Failed, "pid namespace", "--pid=host"},
		{"no sock_diag", func(f *Facts) { f.Kernel.SockDiag = syscall.EPERM }, "kernel.sock_diag", Degraded, "slower", "AF_NETLINK"},
		{"no PSI", func(f *Facts) { f.Kernel.Pressure = fs.ErrNotExist }, "kernel.psi", Degraded, "pressure", "psi=1"},
		{"no CAP_SYS_PTRACE", func(f *Facts) { f.Capabilities.Effective = 1<<2 | 1<<5 }, "capability.CAP_SYS_PTRACE", Degraded, "ports", "AmbientCapabilities=CAP_SYS_PTRACE"},
		{"no CAP_DAC_READ_SEARCH", func(f *Facts) { f.Capabilities.Effective = 1<<19 | 1<<5 }, "capability.CAP_DAC_READ_SEARCH", Degraded, "folders", "CAP_DAC_READ_SEARCH"},
		{"no CAP_KILL", func(f *Facts) { f.Capabilities.Effective = 1<<19 | 1<<2 }, "capability.CAP_KILL", Degraded, "ended", "CAP_KILL"},
		{"no such process", func(f *Facts) { f.Capabilities.Err = fs.ErrNotExist }, "capabilities", Failed, "not exist", "--pid"},
		{"subset", func(f *Facts) { f.Proc.Options = []string{"rw", "subset=pid"} }, "proc.mount", Failed, "memory", "ProcSubset"},
		{"no procfs", func(f *Facts) { f.Proc.Err = refused }, "proc.mount", Failed, "/proc", "--path.procfs"},
		{"no systemd", func(f *Facts) { f.Systemd = Systemd{} }, "systemd", Degraded, "among the processes", "/run/dbus"},
		{"systemd is silent", func(f *Facts) { f.Systemd.Err = refused }, "systemd", Failed, "refused", "dbus.socket"},
		{"journal is closed", func(f *Facts) { f.Journal.Err = fs.ErrPermission }, "journal", Degraded, "may not be read", "systemd-journal"},
		{"journal is empty", func(f *Facts) { f.Journal.Lines = 0 }, "journal", Degraded, "shows nothing", "systemd-journal"},
		{"database is away", func(f *Facts) { f.Policy.Err = refused }, "policy.store", Failed, "refused", "firewall"},
		{"not seeded", func(f *Facts) { f.Policy.Missing = 12 }, "policy.seeded", Degraded, "12 documents", "policy seed"},
		{"no index", func(f *Facts) { f.Policy.Indexed = false }, "policy.index", Degraded, "unique", "policy seed"},
		{"index is secret", func(f *Facts) { f.Policy.IndexErr = refused }, "policy.index", Degraded, "not known", "role read"},
		{"malformed", func(f *Facts) { f.Policy.Malformed = []string{"linux/a", "b", "c", "d", "e", "f", "g"} }, "policy.documents", Failed, "7 malformed documents count as protecting their names: linux/a, b, c, d, e … +2", "policy validate"},
		{"no copy", func(f *Facts) { f.Policy.CopyFile = "" }, "policy.copy", Degraded, "No copy", "--policy.copy-file"},
		{"copy is read-only", func(f *Facts) { f.Policy.CopyErr = syscall.EROFS }, "policy.copy", Failed, "read-only", "StateDirectory"},
		{"tokens for all", func(f *Facts) { f.Tokens.Err = fmt.Errorf("x: %w", token.ErrReadableByOthers) }, "tokens", Failed, "other users", "chmod 600 /etc/tokens"},
		{"tokens are absent", func(f *Facts) { f.Tokens.Err = fs.ErrNotExist }, "tokens", Failed, "not exist", "token create"},
		{"tokens are closed", func(f *Facts) { f.Tokens.Err = fs.ErrPermission }, "tokens", Failed, "permission", "CAP_DAC_READ_SEARCH"},
		{"tokens are broken", func(f *Facts) { f.Tokens.Err = errors.New("version 9") }, "tokens", Failed, "version 9", "Restore"},
		{"no token", func(f *Facts) { f.Tokens.Records = nil }, "tokens", Degraded, "no token", "token create"},
		{"an expired token", func(f *Facts) {
			f.Tokens.Records = append(f.Tokens.Records, token.Record{ID: "ffffffff", Name: "bob", Expires: now.Add(-time.Second)})
		}, "tokens", Degraded, "bob (ffffffff)", "token revoke"},
		{"only an expired token", func(f *Facts) { f.Tokens.Records[0].Expires = now }, "tokens", Degraded, "no token that is good", "token create"},
		{"audit is read-only", func(f *Facts) { f.Audit.Err = syscall.EROFS }, "audit", Failed, "nothing is ended", "LogsDirectory"},
		{"port is taken", func(f *Facts) {
			f.Listeners[0] = Listener{"web.listen-address", ":10042", syscall.EADDRINUSE, true, "nginx", 5}
		}, "listener.web", Failed, "taken by nginx, process 5", "--web.listen-address"},
		{"port is taken by nobody seen", func(f *Facts) {
			f.Listeners[0] = Listener{"web.listen-address", ":10042", syscall.EADDRINUSE, true, "", 0}
		}, "listener.web", Degraded, "by whom", "as root"},
		{"port is low", func(f *Facts) {
			f.Listeners[1] = Listener{Flag: "operator.listen-address", Address: "127.0.0.1:80", Err: syscall.EACCES}
		}, "listener.operator", Failed, "permission denied", "1024"},
		{"few descriptors", func(f *Facts) { f.Files.Limit = 1024 }, "files", Degraded, "3000 processes call for 6256", "LimitNOFILE=12512"},
		{"unknown descriptors", func(f *Facts) { f.Files.Err = refused }, "files", Degraded, "refused", "root"},
		{"clock is lost", func(f *Facts) { f.Clock.Now = time.Unix(60, 0) }, "clock", Failed, "1970-01-01T00:01:00Z", "chronyd"},
		{"started in the future", func(f *Facts) { f.Clock.Boot = now.Add(time.Hour) }, "clock", Failed, "future", "chronyd"},
		{"started in 1970", func(f *Facts) { f.Clock.Boot = time.Unix(9, 0) }, "clock", Degraded, "wrong then", "chronyd"},
		{"no boot time", func(f *Facts) { f.Clock.Err = refused }, "clock", Failed, "not known", "chronyd"},
		{"clock is alone", func(f *Facts) { f.Clock.Unsynchronised = true }, "clock", Degraded, "Nobody", "chronyd"},
		{"no Hangul", func(f *Facts) { f.Language.Locale = "POSIX" }, "language", Degraded, "Hangul", "C.UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts := healthy()
			test.change(facts)
			findings := Examine(facts)
			seen := 0
			for _, f := range findings {
				if f.Level == OK {
					continue
				}
				if seen++; f.Check != test.check || f.Level != test.level ||
					!strings.Contains(f.Found.English, test.found) || !strings.Contains(f.Remedy.English, test.remedy) {
					t.Errorf("%s is %s: %s Remedy: %s", f.Check, f.Level, f.Found.English, f.Remedy.English)
				}
				checkKorean(t, f.Found)
			}
			if seen != 1 || Worst(findings) != test.level {
				t.Errorf("%d findings, the worst %s; want one, %s", seen, Worst(findings), test.level)
			}
		})
	}
}

// checkKorean checks that a text is Korean and takes its arguments.
func checkKorean(t *testing.T, text language.Text) {
	t.Helper()
	if !strings.ContainsFunc(text.Korean, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) ||
		strings.Contains(text.Korean+text.English, "%!") {
		t.Errorf("%q", text)
	}
}

// TestHidePID has what a kernel may call it, with and without the right that
// lifts it.
func TestHidePID(t *testing.T) {
	for option, hides := range map[string]bool{
		"hidepid=0": false, "hidepid=off": false, "hidepid=1": true, "hidepid=2": true, "hidepid=invisible": true, "hidepid=ptraceable": true,
	} {
		facts := healthy()
		facts.Proc.Options = []string{"rw", option}
		if f := checkProc(facts)[0]; f.Level != OK || strings.Contains(f.Found.English, "lifts") != hides {
			t.Errorf("%s: %s %s", option, f.Level, f.Found.English)
		}
		facts.Capabilities.Effective = 0
		if f := checkProc(facts)[0]; (f.Level == Degraded) != hides {
			t.Errorf("%s without rights: %s %s", option, f.Level, f.Found.English)
		}
	}
}

// TestNotNeeded has what is off, which is no loss.
func TestNotNeeded(t *testing.T) {
	facts := healthy()
	facts.Terminations = false
	facts.Capabilities.Effective &^= 1 << 5
	facts.Policy, facts.Tokens, facts.Audit, facts.Journal = Policy{Catalogue: 9}, Tokens{}, Audit{}, Journal{}
	if findings := Examine(facts); Worst(findings) != OK {
		t.Errorf("%+v", findings)
	}
}

// TestOtherPlatforms judges nothing that only Linux has.
func TestOtherPlatforms(t *testing.T) {
	facts := healthy()
	facts.Native, facts.Language.Locale = false, ""
	facts.Kernel, facts.Capabilities, facts.Systemd = Kernel{Handles: process.ErrNoPidfd}, Capabilities{}, Systemd{}
	for _, f := range Examine(facts) {
		if f.Level != OK {
			t.Errorf("%s: %s", f.Check, f.Found.English)
		}
	}
}

// TestPrinted checks both forms, with hostile bytes in what is told.
func TestPrinted(t *testing.T) {
	facts := healthy()
	facts.Listeners[0] = Listener{"web.listen-address", ":10042", syscall.EADDRINUSE, true, "a\x1b[2J\nb", 5}
	findings := Examine(facts)
	var b bytes.Buffer
	if err := WriteTable(&b, findings, language.Korean); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.Contains(text, "\x1b") || !strings.Contains(text, "🔴 listener.web") ||
		!strings.Contains(text, "실패 1") || !strings.Contains(text, "→ ") {
		t.Errorf("%s", text)
	}
	b.Reset()
	if err := WriteJSON(&b, findings, language.English); err != nil {
		t.Fatal(err)
	}
	var read struct {
		Status string
		Checks []struct{ Check, Status, Found, Remedy string }
	}
	if err := json.Unmarshal(b.Bytes(), &read); err != nil || read.Status != "failed" || len(read.Checks) != len(findings) {
		t.Errorf("%v\n%s", err, b.String())
	}
	for _, c := range read.Checks {
		if (c.Status == "ok") != (c.Remedy == "") {
			t.Errorf("%+v", c)
		}
	}
}
