package terminate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// windowsHost is a host with Windows on which server-monitor is process 500.
func windowsHost() *Host {
	return &Host{Windows: true, Login: DefaultLogin, Boot: "0123abcd", Self: 500, Ancestors: []int{400}}
}

const kimSID = "S-1-5-21-1-2-3-1001"

// notepad is a process of Windows that may be ended: a user's program in the
// session of a login.
func notepad() *Facts {
	return &Facts{
		Identity: process.Identity{PID: 1234, StartTicks: 134400376907063150, Boot: "0123abcd"},
		PPID:     1200, Comm: "notepad.exe", State: process.Sleeping, LoginUID: -1, Place: Place{UID: -1},
		Name: "notepad.exe", Exe: "C:/Windows/System32/notepad.exe", User: `PC\kim`, File: process.File{Trusted: true},
		Windows: &process.Windows{SID: kimSID, Session: 2, Integrity: process.IntegrityMedium, InSystem: true},
	}
}

func TestWindowsGuards(t *testing.T) {
	named := func(name string) func(f *Facts) {
		return func(f *Facts) { f.Name, f.Comm, f.Exe = name, name, "C:/Windows/System32/"+name }
	}
	sid := func(sid string) func(f *Facts) { return func(f *Facts) { f.Windows.SID = sid } }
	met := make(map[Code]bool)
	for _, test := range []struct {
		name string
		edit func(f *Facts)
		want []Code
	}{
		{name: "a program in a session", edit: func(*Facts) {}},
		{name: "a program of Entra ID's user", edit: sid("S-1-12-1-1-2-3-4")},
		{name: "as administrator", edit: func(f *Facts) { f.Windows.Elevated, f.Windows.Integrity = true, process.IntegrityHigh }},
		{name: "from a home folder", edit: func(f *Facts) { f.Exe, f.File.Trusted, f.Windows.InSystem = "C:/Users/kim/x.exe", false, false }},
		{name: "the idle process", edit: func(f *Facts) { f.PID, f.Exe, f.Windows.Session = 0, "", 0 }, want: []Code{GuardWindowsKernel, GuardSession0}},
		{name: "System", edit: func(f *Facts) { f.PID, f.Exe, f.Windows.SID, f.Windows.Session = 4, "", process.SIDSystem, 0 },
			want: []Code{GuardWindowsKernel, GuardSession0, GuardLocalSystem}},
		{name: "Registry", edit: func(f *Facts) { f.Exe, f.Windows.SID, f.Windows.Session = "Registry", process.SIDSystem, 0 },
			want: []Code{GuardWindowsKernel, GuardSession0, GuardLocalSystem}},
		{name: "self", edit: func(f *Facts) { f.PID = 500 }, want: []Code{GuardSelf}},
		{name: "ancestor", edit: func(f *Facts) { f.PID = 400 }, want: []Code{GuardAncestor}},
		{name: "ended", edit: func(f *Facts) { f.Ended, f.State, f.Exe, f.Windows = true, process.Zombie, "", nil }, want: []Code{GuardZombie}},
		{name: "executable unreadable", edit: func(f *Facts) { f.Exe, f.Unreadable = "", []string{"exe"} }, want: []Code{GuardUnreadable}},
		{name: "executable unknown", edit: func(f *Facts) { f.Exe = "" }, want: []Code{GuardUnreadable}},
		{name: "user unreadable", edit: func(f *Facts) { f.Windows.SID, f.Unreadable = "", []string{"user"} }, want: []Code{GuardUnreadable}},
		{name: "protection unreadable", edit: func(f *Facts) { f.Unreadable = []string{"protection"} }, want: []Code{GuardUnreadable}},
		{name: "session unknown", edit: func(f *Facts) { f.Windows.Session = -1 }, want: []Code{GuardUnreadable}},
		{name: "nothing of Windows known", edit: func(f *Facts) { f.Windows = nil }, want: []Code{GuardUnreadable}},
		{name: "critical", edit: func(f *Facts) { f.Windows.Critical = true }, want: []Code{GuardCriticalProcess}},
		{name: "protected", edit: func(f *Facts) { f.Windows.Protected = true }, want: []Code{GuardProtectedProcess}},
		{name: "a person's program in session 0", edit: func(f *Facts) { f.Windows.Session = 0 }, want: []Code{GuardSession0}},
		{name: "SYSTEM in a session", edit: sid(process.SIDSystem), want: []Code{GuardLocalSystem}},
		{name: "LOCAL SERVICE", edit: sid(process.SIDLocalService), want: []Code{GuardServiceAccount}},
		{name: "NETWORK SERVICE", edit: sid(process.SIDNetworkService), want: []Code{GuardServiceAccount}},
		{name: "a virtual account of a service", edit: sid("S-1-5-80-1-2-3-4-5"), want: []Code{GuardServiceAccount}},
		{name: "a pool of IIS", edit: sid("S-1-5-82-1-2-3-4-5"), want: []Code{GuardServiceAccount}},
		{name: "a virtual machine", edit: sid("S-1-5-83-1-2-3-4-5"), want: []Code{GuardServiceAccount}},
		{name: "a window manager", edit: sid("S-1-5-90-0-1"), want: []Code{GuardServiceAccount}},
		{name: "a font driver", edit: sid("S-1-5-96-0-1"), want: []Code{GuardServiceAccount}},
		{name: "a group", edit: sid("S-1-5-32-544"), want: []Code{GuardServiceAccount}},
		{name: "svchost in a user's session", edit: named("svchost.exe"), want: []Code{GuardServiceHost}},
		{name: "svchost in capitals", edit: named("SvcHost.EXE"), want: []Code{GuardServiceHost}},
		{name: "called svchost without being it", edit: func(f *Facts) {
			named("svchost.exe")(f)
			f.Exe, f.Windows.InSystem, f.File.Trusted = "C:/Users/kim/svchost.exe", false, false
		}},
		{name: "the first program of a session", edit: named("userinit.exe"), want: []Code{GuardWindowsCore}},
		{name: "called winlogon without being it", edit: func(f *Facts) {
			named("winlogon.exe")(f)
			f.Exe, f.Windows.InSystem = "C:/Users/kim/winlogon.exe", false
		}},
		{name: "a service of a user", edit: func(f *Facts) { f.Unit = "CDPUserSvc_1a2b" }, want: []Code{GuardHostsService}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := notepad()
			test.edit(f)
			got := Codes(Check(f, windowsHost()))
			if !slices.Equal(got, test.want) {
				t.Errorf("guards %v, want %v", got, test.want)
			}
			for _, code := range got {
				met[code] = true
			}
		})
	}
	for i := range windowsGuards {
		if code := windowsGuards[i].Code; !met[code] {
			t.Errorf("no case meets the guard %s", code)
		}
	}
}

// Whatever else is true of a process, none of session 0, of no person, critical,
// protected or unreadable is ever ended.
func TestWindowsGuardsNeverYield(t *testing.T) {
	sids := []string{"", kimSID, "S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-80-1", "S-1-5-90-0-1", "S-1-5-96-0-1", "S-1-5-21", "S-1-1-0"}
	for bits := range 1 << 6 {
		bit := func(n int) bool { return bits&(1<<n) != 0 }
		for _, sid := range sids {
			for _, session := range []int{-1, 0, 1, 7} {
				f := notepad()
				*f.Windows = process.Windows{SID: sid, Session: session, Critical: bit(0), Protected: bit(1), InSystem: bit(2), Elevated: bit(3)}
				if bit(4) {
					f.Exe = ""
				}
				if bit(5) {
					f.Name, f.Exe = "svchost.exe", "C:/Windows/System32/svchost.exe"
				}
				must := sid != kimSID || session < 1 || bit(0) || bit(1) || bit(4) && !bit(5) || bit(5) && bit(2)
				if got := Codes(Check(f, windowsHost())); (len(got) > 0) != must {
					t.Fatalf("%+v of %q: %v", *f.Windows, f.Exe, got)
				}
			}
		}
	}
}

func TestWindowsSnapshot(t *testing.T) {
	p := &process.Process{
		Identity: process.Identity{PID: 1234}, State: process.Sleeping, Threads: 1,
		Facts: &process.Facts{UID: -1, Name: "x.exe", Exe: "C:/x.exe", Windows: &process.Windows{SID: kimSID, Session: 1}},
	}
	if got := Codes(Refusals(p, windowsHost())); len(got) != 0 {
		t.Errorf("guards %v", got)
	}
	p.Denied = process.DeniedUser
	if got := Codes(Refusals(p, windowsHost())); !slices.Equal(got, []Code{GuardUnreadable}) {
		t.Errorf("user denied: guards %v", got)
	}
}

// onWindowsNow lets a terminator of fakes work on Windows.
func onWindowsNow(c *Config) { c.Host = windowsHost }

// newNotepad is a fake of Windows that may be ended. It has a window where
// asked says so.
func newNotepad(window bool) *fake {
	p := newFake(1234)
	p.facts = *notepad()
	p.onSignal = func(f *fake, signal Signal) error {
		switch {
		case signal == Kill, window && signal == Term:
			f.exit()
			return nil
		case signal == Term:
			return errNoSoft
		}
		return errPlatform
	}
	return p
}

func TestProgramWithWindow(t *testing.T) {
	p := newNotepad(true)
	terminator, audit := newTerminator(t, newFakes(p), onWindowsNow)
	r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
	if r.Outcome != Terminated || r.Method != Soft || r.Graceful == nil || !*r.Graceful || !slices.Equal(r.Sent, []string{"WM_CLOSE"}) || r.Weaker {
		t.Errorf("%+v", r)
	}
	if got := audit.stages(); !slices.Equal(got, []string{"decision/accepted", "outcome/terminated"}) {
		t.Errorf("audited %v", got)
	}
	if e := audit.events[1]; e.SID != kimSID || e.Graceful == nil || !*e.Graceful {
		t.Errorf("audited %+v", e)
	}
}

// A program without a window is not waited for: there is nothing to obey. All
// checks are made again all the same.
func TestProgramWithoutWindow(t *testing.T) {
	p := newNotepad(false)
	terminator, audit := newTerminator(t, newFakes(p), func(c *Config) {
		onWindowsNow(c)
		c.Grace = time.Hour
	})
	r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
	if r.Outcome != Killed || r.Method != Hard || r.Graceful == nil || *r.Graceful || !slices.Equal(r.Sent, []string{"TerminateProcess"}) || r.SoftSeconds != 0 {
		t.Errorf("%+v", r)
	}
	if got := audit.stages(); !slices.Equal(got, []string{"decision/accepted", "escalation/accepted", "outcome/killed"}) {
		t.Errorf("audited %v", got)
	}
}

// What forbids it in the second round holds where there was no soft attempt.
func TestWithoutWindowAndForbiddenMeanwhile(t *testing.T) {
	for name, edit := range map[string]func(c *Config, p *fake){
		"policy": func(c *Config, _ *fake) { c.Policy = fresh().then(policy.Fresh, protecting("notepad.exe")) },
		"a guard": func(_ *Config, p *fake) {
			p.onLook = func(f *fake, look int) {
				changed := *f.facts.Windows
				changed.Critical = look >= 3
				f.facts.Windows = &changed
			}
		},
		"another user": func(_ *Config, p *fake) {
			p.onLook = func(f *fake, look int) {
				changed := *f.facts.Windows
				changed.SID = fmt.Sprintf("S-1-5-21-1-2-3-%d", 1000+look)
				f.facts.Windows = &changed
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newNotepad(false)
			terminator, _ := newTerminator(t, newFakes(p), func(c *Config) {
				onWindowsNow(c)
				edit(c, p)
			})
			r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
			if r.Outcome != Refused || p.count(Kill) != 0 || len(r.Reasons) == 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestEndedBeforeItWasAsked(t *testing.T) {
	p := newNotepad(false)
	p.onSignal = func(*fake, Signal) error { return process.ErrGone }
	terminator, _ := newTerminator(t, newFakes(p), onWindowsNow)
	if r := terminator.Terminate(context.Background(), Request{Identity: identityOf(p)}); r.Outcome != AlreadyExited || len(r.Sent) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestWindowsTexts(t *testing.T) {
	for i := range windowsGuards {
		checkReason(t, windowsGuards[i].Reason)
		if strings.Contains(windowsGuards[i].Text.English, "root") {
			t.Errorf("%s speaks of root", windowsGuards[i].Code)
		}
	}
}
