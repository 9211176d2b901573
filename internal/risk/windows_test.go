package risk

import (
	"strings"
	"testing"

	"server-monitor/internal/language"

	"server-monitor/internal/process"
)

// native makes a process as the reader of Windows does, with a security
// identifier; a program of Windows itself is trusted.
func native(exe, sid string, changes ...made) *process.Process {
	return program(exe, append([]made{user(-1, ""), argv0(""), func(p *process.Process) {
		lower := strings.ToLower(exe)
		p.Slice, p.Facts.Windows = "", &process.Windows{SID: sid, Session: 1, Integrity: process.IntegrityMedium}
		p.Windows.InSystem = strings.HasPrefix(lower, "c:/windows/system32/") || strings.HasPrefix(lower, "c:/windows/syswow64/")
		p.File.Trusted = strings.HasPrefix(lower, "c:/windows/") || strings.HasPrefix(lower, "c:/program files/")
	}}, changes...)...)
}

const (
	annaSID  = "S-1-5-21-1-2-3-1001"
	adminSID = "S-1-5-21-1-2-3-500"
)

// elevated gives a process an administrator's rights.
func elevated(p *process.Process) {
	p.Windows.Elevated, p.Windows.Integrity = true, process.IntegrityHigh
}

func TestRootOfWindows(t *testing.T) {
	cases := []struct {
		name    string
		process *process.Process
		want    bool
	}{
		{"SYSTEM", native("C:/x.exe", process.SIDSystem), true},
		{"SYSTEM, whatever it is called", native("C:/x.exe", process.SIDSystem, user(-1, "anna")), true},
		{"Administrator", native("C:/x.exe", adminSID, elevated), true},
		{"Administrator, renamed", native("C:/x.exe", adminSID, elevated, user(-1, "chef")), true},
		{"Administrator without these rights", native("C:/x.exe", adminSID), false},
		{"a person called Administrator", native("C:/x.exe", annaSID, user(-1, `PC\Administrator`)), false},
		{"a person", native("C:/x.exe", annaSID), false},
		{"a person as administrator", native("C:/x.exe", annaSID, elevated), true},
		{"a person of Entra ID as administrator", native("C:/x.exe", "S-1-12-1-1-2-3-4", elevated), true},
		{"a number that ends in 500", native("C:/x.exe", "S-1-5-21-1-2-3-1500"), false},
		{"LOCAL SERVICE", native("C:/x.exe", process.SIDLocalService, elevated), false},
		{"NETWORK SERVICE", native("C:/x.exe", process.SIDNetworkService, elevated), false},
		{"a virtual account", native("C:/x.exe", "S-1-5-80-1-2-3-4-5", elevated), false},
		{"IIS", native("C:/x.exe", "S-1-5-82-1-2-3-4-5", elevated), false},
		{"unknown", native("C:/x.exe", ""), false},
		{"unknown, but for the name", native("C:/x.exe", "", user(-1, `NT AUTHORITY\SYSTEM`)), true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := has(onWindows(c.process), RunningAsRoot); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// What every Windows does by itself is no reason to look at it; the same done
// by another program is.
func TestPartsOfWindows(t *testing.T) {
	ports := listens("tcp 0.0.0.0:135", "tcp 0.0.0.0:445", "tcp 0.0.0.0:139", "udp 0.0.0.0:137", "udp 0.0.0.0:138", "tcp [::]:5357")
	elsewhere := func(p *process.Process) { p.File.Trusted, p.Windows.InSystem = false, false }
	cases := []struct {
		name    string
		process *process.Process
		want    Verdict
	}{
		{"svchost", native("C:/Windows/System32/svchost.exe", process.SIDSystem, ports), Safe},
		{"lsass", native("C:/Windows/System32/lsass.exe", process.SIDSystem, ports), Safe},
		{"services", native("C:/Windows/System32/services.exe", process.SIDSystem), Safe},
		{"svchost on another port", native("C:/Windows/System32/svchost.exe", process.SIDSystem, listens("tcp 0.0.0.0:3306")), Dangerous},
		{"svchost on another system port", native("C:/Windows/System32/svchost.exe", process.SIDSystem, listens("tcp 0.0.0.0:700")), Dangerous},
		{"svchost elsewhere", native("C:/Users/anna/svchost.exe", process.SIDSystem, ports, elsewhere), Dangerous},
		{"svchost that may be forged", native("C:/Windows/System32/svchost.exe", process.SIDSystem, ports, elsewhere), Dangerous},
		{"another program of Windows", native("C:/Windows/System32/notepad.exe", annaSID, ports), Dangerous},
		{"an unknown program", native("C:/Program Files/X/x.exe", annaSID, ports), Dangerous},
		{"a developer's tool", native("C:/Users/anna/go/bin/go.exe", annaSID, ports), Dangerous},
		{"pid 4", native("", process.SIDSystem, ports, func(p *process.Process) { p.PID, p.Name, p.Comm = 4, "System", "System" }), Safe},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := onWindows(c.process)
			if a.Verdict != c.want {
				t.Errorf("%v, [%s], want %v", a.Verdict, list(a.Warnings), c.want)
			}
		})
	}
	shown := onWindows(native("C:/Windows/System32/svchost.exe", process.SIDSystem, ports))
	if len(shown.Warnings) != 7 {
		t.Errorf("what is expected is shown all the same: [%s]", list(shown.Warnings))
	}
	if a := judge.Assess(native("C:/Windows/System32/svchost.exe", process.SIDSystem, ports), Moment{}, linux); a.Verdict != Dangerous {
		t.Errorf("on Linux: %v, [%s]", a.Verdict, list(a.Warnings))
	}
}

// A stock Windows shows nothing red: what runs there by itself.
func TestStockWindows(t *testing.T) {
	system := func(name string, changes ...made) *process.Process {
		return native("C:/Windows/System32/"+name, process.SIDSystem, append([]made{func(p *process.Process) {
			p.Windows.Session, p.Windows.Elevated, p.Windows.Integrity = 0, true, process.IntegritySystem
		}}, changes...)...)
	}
	for _, p := range []*process.Process{
		system("smss.exe"), system("csrss.exe"), system("wininit.exe"), system("winlogon.exe"), system("services.exe"),
		system("lsass.exe", listens("tcp 0.0.0.0:49664")), system("lsaiso.exe"), system("spoolsv.exe", listens("tcp [::]:49668")),
		system("svchost.exe", listens("tcp 0.0.0.0:135")),
		native("C:/Windows/System32/svchost.exe", process.SIDLocalService, listens("udp 0.0.0.0:123", "udp 0.0.0.0:5353")),
		native("C:/Windows/System32/svchost.exe", process.SIDNetworkService, listens("udp 0.0.0.0:5355")),
		native("C:/Windows/System32/dwm.exe", "S-1-5-90-0-1"), native("C:/Windows/System32/fontdrvhost.exe", "S-1-5-96-0-1"),
		native("C:/Windows/explorer.exe", annaSID), native("C:/Windows/System32/sihost.exe", annaSID),
		native("C:/Windows/System32/RuntimeBroker.exe", annaSID), native("C:/Windows/System32/taskhostw.exe", annaSID),
		native("C:/Windows/System32/conhost.exe", annaSID), native("C:/Windows/System32/cmd.exe", annaSID),
		native("C:/Windows/System32/WindowsPowerShell/v1.0/powershell.exe", annaSID),
	} {
		if a := onWindows(p); a.Verdict != Safe || !a.Known() {
			t.Errorf("%s of %s: %v, known %v, [%s]", p.Name, p.Windows.SID, a.Verdict, a.Known(), list(a.Warnings))
		}
	}
}

// What Windows denies is said, and never called safe.
func TestUnseenOnWindows(t *testing.T) {
	p := native("C:/Windows/System32/svchost.exe", "", denied(process.DeniedUser|process.DeniedProtection))
	a := onWindows(p)
	if a.Verdict != Caution {
		t.Errorf("%v, [%s]", a.Verdict, list(a.Warnings))
	}
	for l, want := range map[language.Language]string{language.English: "(user, protection by the system)", language.Korean: "사용자, 시스템 보호 여부"} {
		if text := Explain(p, nil, &a, l).Summary; !strings.Contains(text, want) {
			t.Errorf("%s: %q", l, text)
		}
	}
}

// The advice for Windows names no tools of Unix.
func TestWordsOfWindows(t *testing.T) {
	places := map[string]string{
		"C:/Users/Public/x.exe":         "where everybody may put files",
		"C:/Users/anna/Downloads/x.exe": "where downloads",
		"C:/Windows/a.txt:x.exe":        "hidden behind another file",
		"D:/x.exe":                      "outside of the folders",
	}
	for exe, want := range places {
		p := native(exe, annaSID, elevated, untrusted, file(func(f *process.File) { f.Writable = true }))
		a := judge.Assess(p, Moment{HighMemory: true}, windows)
		e := Explain(p, nil, &a, language.English)
		all := e.Role
		for _, f := range e.Findings {
			all += "\n" + f.Text + " " + f.Advice
		}
		if !strings.Contains(all, want) {
			t.Errorf("%s: no %q in\n%s", exe, want, all)
		}
		for _, unix := range []string{"/proc", "sudo", "chmod", "/usr", "MemoryMax"} {
			if strings.Contains(all, unix) {
				t.Errorf("%s: %q in\n%s", exe, unix, all)
			}
		}
	}
}

func TestRoleOnWindows(t *testing.T) {
	hosts := func(services string) made { return func(p *process.Process) { p.Unit = services } }
	background := func(p *process.Process) { p.Windows.Session = 0 }
	for want, p := range map[string]*process.Process{
		"Runs in a login session, from a home folder":                          native("C:/Users/anna/x/mine.exe", annaSID),
		"Part of the service Mine, from a folder of installed programs":        native("C:/Program Files/X/mine.exe", annaSID, hosts("Mine")),
		"Runs in the background, from the folder D:/x":                         native("D:/x/mine.exe", annaSID, background),
		"Runs in the background, whose executable cannot be seen":              native("", annaSID, background),
		"Runs in a login session, from a folder where everybody may put files": native("C:/Temp/mine.exe", annaSID),
	} {
		a := Assessment{}
		if role := Explain(p, nil, &a, language.English).Role; !strings.HasPrefix(role, want) {
			t.Errorf("%q, want %q", role, want)
		}
	}
}
