package risk

import (
	"net/netip"
	"strings"
	"testing"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// made changes a process that a test makes.
type made func(*process.Process)

// program makes an ordinary process of an executable that root installed on the
// host, or, where the path is empty, of one that cannot be seen.
func program(exe string, changes ...made) *process.Process {
	name := exe[strings.LastIndexByte(exe, '/')+1:]
	p := &process.Process{
		Identity: process.Identity{PID: 100, StartTicks: 1, Boot: "0123abcd"},
		PPID:     1, State: process.Sleeping, Threads: 1, Comm: name,
		Facts: &process.Facts{
			Name: name, Exe: exe, Root: "/", Argv0: exe, UID: 1000, User: "anna", Slice: "user.slice",
			File: process.File{Device: 1, Inode: 2, Trusted: exe != "" && !strings.HasPrefix(exe, "/home/")},
		},
	}
	const maxComm = 15 // the kernel keeps no more (TASK_COMM_LEN)
	if len(p.Comm) > maxComm {
		p.Comm = p.Comm[:maxComm]
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

func comm(name string) made   { return func(p *process.Process) { p.Comm = name } }
func argv0(word string) made  { return func(p *process.Process) { p.Argv0 = word } }
func script(path string) made { return func(p *process.Process) { p.Script = path } }
func untrusted(p *process.Process) {
	p.File.Trusted = false
}

// user lets a process run as somebody.
func user(uid int, name string) made {
	return func(p *process.Process) { p.UID, p.User = uid, name }
}

// unit puts a process into a system service.
func unit(name string) made {
	return func(p *process.Process) { p.Unit, p.Slice = name, "system.slice" }
}

// root makes a process a system service of root's.
func root(p *process.Process) {
	p.UID, p.User, p.Slice, p.Unit = 0, "root", "system.slice", "some.service"
}

// container puts a process into a container that root made: what it runs is not
// a file of the host.
func container(p *process.Process) {
	p.Container, p.Slice, p.Unit = strings.Repeat("ab12", 16), "machine.slice", ""
	p.File.Trusted = false
	p.Namespaces = process.Namespaces{Mount: 7, Net: 7, PID: 7, User: 1}
}

// rootless puts a process into a user namespace that an ordinary user made.
func rootless(p *process.Process) {
	container(p)
	p.Namespaces.User, p.Namespaces.ByUser = 7, true
	p.File.CommIsLink = false
}

// denied takes facts away for want of permission.
func denied(facts process.Denied) made {
	return func(p *process.Process) {
		p.Denied |= facts
		if facts&process.DeniedExe != 0 {
			p.Exe, p.Name, p.File = "", p.Comm, process.File{}
		}
	}
}

// listens opens sockets, each as "tcp 0.0.0.0:80"; a third word, "foreign", puts
// one into another network namespace.
func listens(sockets ...string) made {
	return func(p *process.Process) {
		for i, text := range sockets {
			words := strings.Fields(text)
			s := process.Socket{Addr: netip.MustParseAddrPort(words[1]), Inode: uint64(i + 1), Foreign: len(words) > 2}
			if words[0] == "udp" {
				s.Protocol = process.UDP
			}
			p.Listen = append(p.Listen, s)
		}
	}
}

// file changes what is known of the executable.
func file(change func(*process.File)) made {
	return func(p *process.Process) { change(&p.File) }
}

var (
	judge     = NewJudge(Criteria{HighMemoryRatio: DefaultHighMemoryRatio})
	linux     = policy.NewSet(policy.Linux, policy.Catalogue()...)
	windows   = policy.NewSet(policy.Windows, policy.Catalogue()...)
	platforms = []*policy.Set{linux, windows}
)

// assessed judges a process of Linux by the catalogue.
func assessed(p *process.Process) Assessment { return judge.Assess(p, Moment{}, linux) }

// onWindows judges a process of Windows by the catalogue.
func onWindows(p *process.Process) Assessment { return judge.Assess(p, Moment{}, windows) }

// list writes warnings as "CODE severity", with "expected" where they are.
func list(warnings []Warning) string {
	var all []string
	for _, w := range warnings {
		text := w.String() + " " + w.Severity.String()
		if w.Expected {
			text += " expected"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// find returns the warning of a code.
func find(t *testing.T, a Assessment, code Code) Warning {
	t.Helper()
	for _, w := range a.Warnings {
		if w.Code == code {
			return w
		}
	}
	t.Fatalf("no %s among %s", code, list(a.Warnings))
	return Warning{}
}

// has tells whether an assessment holds a warning of a code.
func has(a Assessment, code Code) bool {
	for _, w := range a.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}
