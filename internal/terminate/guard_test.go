package terminate

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// testHost is a host with systemd on which server-monitor is process 500.
func testHost() *Host {
	return &Host{
		Systemd: true, Login: DefaultLogin, Namespaces: process.Namespaces{Mount: 10, PID: 20},
		Self: 500, Ancestors: []int{400, 1},
	}
}

// plainHost is a host without systemd.
func plainHost() *Host {
	h := testHost()
	h.Systemd = false
	return h
}

// editor is a process that may be ended: a user's program in a login session.
func editor() *Facts {
	return &Facts{
		Identity: process.Identity{PID: 1234, StartTicks: 99, Boot: "0123abcd"},
		PPID:     1200, Comm: "vim", State: process.Sleeping, Session: 1200, TTY: "pts/3",
		UIDs: []int{1000, 1000, 1000, 1000}, LoginUID: 1000,
		Place:      Place{Top: userSlice, UID: 1000, Unit: "session-3.scope"},
		Namespaces: process.Namespaces{Mount: 10, PID: 20},
		Name:       "vim.basic", Exe: "/usr/bin/vim.basic", User: "kim", File: process.File{Trusted: true},
	}
}

var guardTests = []struct {
	name string
	edit func(f *Facts)
	host func() *Host
	want []Code
}{
	{name: "a program in a session", edit: func(*Facts) {}},
	{name: "a program of a user's systemd", edit: func(f *Facts) {
		f.Place.Unit, f.Place.UserUnit, f.TTY = "user@1000.service", "app-gnome-firefox-1.scope", ""
	}},
	{name: "a service of a user's systemd leads a session that is no login", edit: func(f *Facts) {
		f.Place.Unit, f.Place.UserUnit, f.TTY, f.Session = "user@1000.service", "node.service", "", f.PID
	}},
	{name: "a shell in a terminal window", edit: func(f *Facts) {
		f.Place.Unit, f.Place.UserUnit, f.Session = "user@1000.service", "vte-spawn-1.scope", f.PID
	}, want: []Code{GuardSessionLeader}},
	{name: "a terminal on a user's service", edit: func(f *Facts) {
		f.Place.Unit, f.Place.UserUnit, f.Session = "user@1000.service", "tmux.service", f.PID
	}, want: []Code{GuardSessionLeader}},
	{name: "a user's folder called system.slice", edit: func(f *Facts) {
		f.Place.Unit, f.Place.UserUnit = "user@1000.service", "system.slice"
	}},
	{name: "a user's folder called like a container", edit: func(f *Facts) {
		f.Place.Unit, f.Place.Container = "user@1000.service", strings.Repeat("a", 64)
		f.Place.UserUnit = "app.service"
	}},
	{name: "a container without root", edit: func(f *Facts) {
		f.Place.Unit, f.Place.UserUnit, f.Place.Container = "user@1000.service", "user.slice", strings.Repeat("a", 64)
		f.Namespaces.Mount, f.Namespaces.PID = 11, 21
	}, want: []Code{GuardContainer, GuardForeignPID, GuardForeignMount}},
	{name: "pid 1", edit: func(f *Facts) {
		f.PID, f.UIDs, f.Place = 1, []int{0, 0, 0, 0}, Place{Top: initScope, UID: -1, Unit: initScope}
	}, want: []Code{GuardPID1, GuardAncestor, GuardUID0, GuardInitScope}},
	{name: "kthreadd", edit: func(f *Facts) {
		*f = Facts{Identity: process.Identity{PID: 2}, Kernel: true, UIDs: []int{0, 0, 0, 0}, LoginUID: -1, Place: Place{UID: -1}}
	}, want: []Code{GuardPID1, GuardKernelThread, GuardUID0}},
	{name: "self", edit: func(f *Facts) { f.PID = 500 }, want: []Code{GuardSelf}},
	{name: "ancestor", edit: func(f *Facts) { f.PID = 400 }, want: []Code{GuardAncestor}},
	{name: "zombie", edit: func(f *Facts) {
		f.State, f.Ended, f.Namespaces = process.Zombie, true, process.Namespaces{}
	}, want: []Code{GuardZombie}},
	{name: "a zombie leader with live threads is alive", edit: func(f *Facts) { f.State = process.Zombie }},
	{name: "stopped", edit: func(f *Facts) { f.State = process.Stopped }},
	{name: "traced", edit: func(f *Facts) { f.State = process.Traced }},
	{name: "uninterruptible", edit: func(f *Facts) { f.State = process.Uninterruptible }},
	{name: "executable unreadable", edit: func(f *Facts) { f.Unreadable = []string{"exe"} }, want: []Code{GuardUnreadable}},
	{name: "uids unreadable", edit: func(f *Facts) { f.UIDs = nil }, want: []Code{GuardUnreadable}},
	{name: "namespaces unreadable", edit: func(f *Facts) { f.Namespaces.Mount = 0 }, want: []Code{GuardUnreadable}},
	{name: "host unreadable", edit: func(*Facts) {}, host: func() *Host {
		h := testHost()
		h.Namespaces.PID = 0
		return h
	}, want: []Code{GuardUnreadable}},
	{name: "root", edit: func(f *Facts) { f.UIDs = []int{0, 0, 0, 0} }, want: []Code{GuardUID0, GuardOthersSession}},
	{name: "set-uid program", edit: func(f *Facts) { f.UIDs = []int{1000, 0, 0, 0} }, want: []Code{GuardUID0, GuardOthersSession}},
	{name: "saved root", edit: func(f *Facts) { f.UIDs = []int{1000, 1000, 0, 1000} }, want: []Code{GuardUID0, GuardOthersSession}},
	{name: "root on the file system", edit: func(f *Facts) { f.UIDs = []int{1000, 1000, 1000, 0} }, want: []Code{GuardUID0, GuardOthersSession}},
	{name: "daemon", edit: func(f *Facts) {
		f.UIDs, f.Place = []int{1, 1, 1, 1}, Place{Top: systemSlice, UID: -1, Unit: "atd.service"}
	}, want: []Code{GuardServiceAccount, GuardSystemSlice}},
	{name: "nobody", edit: func(f *Facts) {
		f.UIDs, f.Place = []int{65534, 65534, 65534, 65534}, Place{Top: systemSlice, UID: -1, Unit: "x.service"}
	}, want: []Code{GuardServiceAccount, GuardSystemSlice}},
	{name: "a service that runs as a person", edit: func(f *Facts) {
		f.Place = Place{Top: systemSlice, UID: -1, Unit: "code-server@kim.service"}
	}, want: []Code{GuardSystemSlice}},
	{name: "a virtual machine", edit: func(f *Facts) {
		f.Place = Place{Top: machineSlice, UID: -1, Unit: `machine-qemu\x2d1.scope`}
	}, want: []Code{GuardMachineSlice}},
	{name: "a container of docker", edit: func(f *Facts) {
		f.Place = Place{Top: systemSlice, UID: -1, Unit: "docker-x.scope", Container: "x"}
		f.Namespaces.Mount, f.Namespaces.PID = 11, 21
	}, want: []Code{GuardSystemSlice, GuardContainer, GuardForeignPID, GuardForeignMount}},
	{name: "an own mount namespace", edit: func(f *Facts) { f.Namespaces.Mount = 11 }, want: []Code{GuardForeignMount}},
	{name: "a pid in a namespace below", edit: func(f *Facts) { f.InnerPID = true }, want: []Code{GuardForeignPID}},
	{name: "an own pid namespace", edit: func(f *Facts) { f.Namespaces.PID = 21 }, want: []Code{GuardForeignPID}},
	{name: "systemd --user", edit: func(f *Facts) {
		f.Name, f.Exe, f.TTY, f.Session = "systemd", "/usr/lib/systemd/systemd", "", f.PID
		f.Place = Place{Top: userSlice, UID: 1000, Unit: "user@1000.service", UserUnit: initScope}
	}, want: []Code{GuardSystemdUser, GuardSystemdProgram, GuardSessionLeader}},
	{name: "systemd --user before it made its scope", edit: func(f *Facts) {
		f.Place = Place{Top: userSlice, UID: 1000, Unit: "user@1000.service"}
	}, want: []Code{GuardSystemdUser}},
	{name: "called systemd without being it", edit: func(f *Facts) {
		f.Name, f.Comm, f.Exe, f.File.Trusted = "systemd", "systemd", "/home/kim/systemd", false
	}},
	{name: "sshd of a session", edit: func(f *Facts) { f.Name, f.Exe = "sshd", "/usr/sbin/sshd" }, want: []Code{GuardSSHDSession}},
	{name: "called sshd without being it", edit: func(f *Facts) {
		f.Name, f.Exe, f.File.Trusted = "sshd", "/home/kim/sshd", false
	}},
	{name: "D-Bus", edit: func(f *Facts) { f.Name, f.Exe = "dbus-daemon", "/usr/bin/dbus-daemon" }, want: []Code{GuardDBus}},
	{name: "login shell", edit: func(f *Facts) { f.Session = f.PID }, want: []Code{GuardSessionLeader}},
	{name: "first program of a desktop", edit: func(f *Facts) { f.Session, f.TTY = f.PID, "" }, want: []Code{GuardSessionLeader}},
	{name: "another user in one's session", edit: func(f *Facts) {
		f.UIDs = []int{1001, 1001, 1001, 1001}
	}, want: []Code{GuardOthersSession}},
	{name: "a root cgroup", edit: func(f *Facts) { f.Place = Place{UID: -1} }, want: []Code{GuardNoSession}},
	{name: "a slice of the administrator", edit: func(f *Facts) {
		f.Place = Place{Top: "batch.slice", UID: -1, Unit: "job.service"}
	}, want: []Code{GuardNoSession}},
	{name: "without systemd, on a terminal", edit: func(f *Facts) { f.Place, f.LoginUID = Place{UID: -1}, -1 }, host: plainHost},
	{name: "without systemd, logged in", edit: func(f *Facts) { f.Place, f.TTY = Place{UID: -1}, "" }, host: plainHost},
	{name: "without systemd, neither", edit: func(f *Facts) {
		f.Place, f.TTY, f.LoginUID = Place{UID: -1}, "", -1
	}, host: plainHost, want: []Code{GuardNoSession}},
	{name: "without systemd, a service account", edit: func(f *Facts) {
		f.Place, f.UIDs = Place{UID: -1}, []int{33, 33, 33, 33}
	}, host: plainHost, want: []Code{GuardServiceAccount}},
	{name: "no pidfd", edit: func(*Facts) {}, host: func() *Host {
		h := testHost()
		h.Obstacle = &reasonForeignProc
		return h
	}, want: []Code{CodeForeignProc}},
}

func TestGuards(t *testing.T) {
	met := make(map[Code]bool)
	for _, test := range guardTests {
		t.Run(test.name, func(t *testing.T) {
			f, h := editor(), testHost()
			if test.host != nil {
				h = test.host()
			}
			test.edit(f)
			got := Codes(Check(f, h))
			if !slices.Equal(got, test.want) {
				t.Errorf("guards %v, want %v", got, test.want)
			}
			for _, code := range got {
				met[code] = true
			}
		})
	}
	for i := range guards {
		if code := guards[i].Code; !met[code] {
			t.Errorf("no case meets the guard %s", code)
		}
	}
}

// Codes are part of the API: each is one word of kebab case, met once, and has
// a sentence in both languages.
func TestGuardTexts(t *testing.T) {
	seen := make(map[Code]bool)
	for _, r := range Reasons() {
		if seen[r.Code] {
			t.Errorf("%s is there twice", r.Code)
		}
		seen[r.Code] = true
		checkReason(t, r)
	}
}

func checkReason(t *testing.T, r Reason) {
	t.Helper()
	for _, c := range string(r.Code) {
		if c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			t.Errorf("%s is no kebab case", r.Code)
		}
	}
	for _, l := range language.All {
		if text := r.Text.In(l); !strings.HasSuffix(text, ".") {
			t.Errorf("%s in %s: %q is no sentence", r.Code, l, text)
		}
	}
	if !strings.ContainsFunc(r.Text.Korean, func(c rune) bool { return unicode.Is(unicode.Hangul, c) }) {
		t.Errorf("%s: %q is not Korean", r.Code, r.Text.Korean)
	}
}

func TestSnapshotFacts(t *testing.T) {
	p := &process.Process{
		Identity: process.Identity{PID: 1234}, State: process.Sleeping, Threads: 1, Session: 1200, TTY: "pts/1",
		Facts: &process.Facts{UID: 1000, Slice: userSlice, Unit: "session-2.scope", Namespaces: process.Namespaces{Mount: 10, PID: 20}},
	}
	for _, test := range []struct {
		name string
		edit func(p *process.Process)
		want []Code
	}{
		{"in a session", func(*process.Process) {}, nil},
		{"in a user's systemd", func(p *process.Process) { p.Unit, p.UserUnit = "user@1000.service", "app.scope" }, nil},
		{"in another user's systemd", func(p *process.Process) { p.Unit, p.UserUnit = "user@1001.service", "app.scope" }, []Code{GuardOthersSession}},
		{"in a service", func(p *process.Process) { p.Slice, p.Unit = systemSlice, "nginx.service" }, []Code{GuardSystemSlice}},
		{"init", func(p *process.Process) { p.PID, p.Slice, p.Unit, p.UID = 1, "", initScope, 0 },
			[]Code{GuardPID1, GuardAncestor, GuardUID0, GuardInitScope}},
		{"zombie", func(p *process.Process) { p.State = process.Zombie }, []Code{GuardZombie}},
		{"nowhere", func(p *process.Process) { p.Slice, p.Unit = "", "" }, []Code{GuardNoSession}},
		{"exe denied", func(p *process.Process) { p.Denied = process.DeniedExe }, []Code{GuardUnreadable}},
		{"sockets denied", func(p *process.Process) { p.Denied = process.DeniedSockets }, nil},
		{"cgroup denied", func(p *process.Process) {
			p.Denied, p.Slice, p.Unit = process.DeniedCgroup, "", ""
		}, []Code{GuardUnreadable, GuardNoSession}},
	} {
		t.Run(test.name, func(t *testing.T) {
			q, facts := *p, *p.Facts
			q.Facts = &facts
			test.edit(&q)
			if got := Codes(Refusals(&q, testHost())); !slices.Equal(got, test.want) {
				t.Errorf("guards %v, want %v", got, test.want)
			}
		})
	}
}
