package risk

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// addSeeds adds processes as the fuzz targets take them apart.
func addSeeds(f *testing.F) {
	f.Helper()
	f.Add("/usr/sbin/sshd", "sshd", "sshd: anna@pts/0", "", "root", "ssh.service", "", uint16(0xff), []byte{0, 0, 22})
	f.Add("/tmp/\x1b[2J\n\xff", "kworker/0:1", "[kthreadd]", "\u202e", "a\nb", "x\x00.service", "\u3164", uint16(1), []byte{1, 0, 53})
	f.Add("(path longer than 4096 bytes)", "", "[", "/", "", "user@1000.service", "box", uint16(0x1234), []byte{})
	f.Add("C:/Windows/Temp/svchost.exe", "svchost.exe", "", "", `NT AUTHORITY\SYSTEM`, "", "", uint16(0), []byte{255, 255, 255, 3})
	f.Add("", strings.Repeat("가", 5), "a:b", "x.py", "1000", "session-1.scope", strings.Repeat("ab", 32), uint16(3), []byte{0, 0, 80, 3, 1, 187})
	f.Add("/usr/bin/python3", "{parent}", "{user}", "/x/{path}.py", "{unit}", "{name}.service", "{container}", uint16(0x0400), []byte{2, 0x18, 0xeb})
}

// together puts a process together. Each three bytes of sockets are one: what it
// is like, and its port.
func together(exe, comm, argv0, script, user, unit, container string, flags uint16, sockets []byte) *process.Process {
	has := func(bit int) bool { return flags>>bit&1 != 0 }
	p := program(exe, func(p *process.Process) {
		p.Comm, p.Argv0, p.Script, p.User, p.Unit, p.Container = comm, argv0, script, user, unit, container
		if p.Exe == "" {
			p.Name = comm
		}
		p.UID = int(flags&3) - 1
		p.File = process.File{Deleted: has(2), Memory: has(3), Writable: has(4), Trusted: has(5), CommIsLink: has(6)}
		p.Namespaces.ByUser, p.ContainerInit, p.Kernel = has(7), has(8), has(9) && has(10)
		p.Denied = process.Denied(flags >> 12)
		if has(11) {
			p.Root, p.UserUnit, p.TTY, p.Slice = "/home", unit, user, "system.slice"
		}
	})
	addresses := [...]string{"0.0.0.0", "::", "127.0.0.1", "10.0.0.1"}
	for ; len(sockets) >= 3; sockets = sockets[3:] {
		port := uint16(sockets[1])<<8 | uint16(sockets[2])
		p.Listen = append(p.Listen, process.Socket{
			Protocol: process.Protocol(sockets[0] & 1), Foreign: sockets[0]&2 != 0,
			Addr: netip.AddrPortFrom(netip.MustParseAddr(addresses[sockets[0]>>2&3]), port),
		})
	}
	return p
}

func FuzzAssess(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, exe, comm, argv0, script, user, unit, container string, flags uint16, sockets []byte) {
		p := together(exe, comm, argv0, script, user, unit, container, flags, sockets)
		before := copied(p)
		for _, set := range platforms {
			m := Moment{HighMemory: flags&1 != 0}
			a := judge.Assess(p, m, set)
			if !reflect.DeepEqual(p, before) {
				t.Fatalf("the process was changed: %+v, was %+v", p, before)
			}
			if again := judge.Assess(p, m, set); !reflect.DeepEqual(a, again) {
				t.Fatalf("%+v, then %+v", a, again)
			}
			if a.Verdict == Safe && !a.Excluded && (!a.Known() || a.Unseen != 0 || p.Namespaces.ByUser) {
				t.Fatalf("safe, yet known %v, unseen %v", a.Known(), a.Unseen)
			}
		}
	})
}

func FuzzExplain(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, exe, comm, argv0, script, user, unit, container string, flags uint16, sockets []byte) {
		p := together(exe, comm, argv0, script, user, unit, container, flags, sockets)
		parents := [...]*process.Process{nil, p, {}}
		for i, set := range platforms {
			a := judge.Assess(p, Moment{HighMemory: flags&1 != 0}, set)
			for _, l := range language.All {
				e := Explain(p, parents[(int(flags)+i)%len(parents)], &a, l)
				shown := []string{e.Role, e.State, e.Summary}
				for _, finding := range e.Findings {
					if finding.Text == "" || finding.Advice == "" {
						t.Errorf("nothing said of %s in %s", finding.Warning, l)
					}
					shown = append(shown, finding.Warning, finding.Severity, finding.Text, finding.Advice)
				}
				for _, text := range shown {
					if text == "" || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\t\x00\x1b\u202e\u3164") ||
						len(text) < 4000 && process.Printable(text) != text {
						t.Errorf("not to be shown: %q", text)
					}
				}
			}
		}
	})
}
