package risk

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// arbitrary makes processes of all kinds.
type arbitrary struct{ *rand.Rand }

func (r arbitrary) one(of ...string) string { return of[r.IntN(len(of))] }
func (r arbitrary) maybe() bool             { return r.IntN(4) == 0 }

func (r arbitrary) socket() process.Socket {
	port := uint16(r.IntN(1 << 16))
	if !r.maybe() { // most ports of the table are low
		port %= 1200
	}
	addr := netip.MustParseAddr(r.one("0.0.0.0", "::", "127.0.0.1", "::1", "10.0.0.1", "198.51.100.1", "fe80::1"))
	return process.Socket{
		Protocol: process.Protocol(r.IntN(2)), Addr: netip.AddrPortFrom(addr, port), Foreign: r.maybe(), Inode: r.Uint64(),
	}
}

func (r arbitrary) process() *process.Process {
	p := program(r.one("/usr/sbin/sshd", "/usr/bin/vim", "/usr/bin/python3.11", "/tmp/x", "/home/anna/sshd", "/memfd:x", "/bin/busybox",
		"/usr/sbin/nginx", "/opt/x/mine", "C:/Windows/System32/svchost.exe", "C:/Users/anna/svchost.exe", ""))
	p.PID = 1 + r.IntN(10)
	p.Comm = r.one(p.Comm, "sshd", "kworker/0:1", "systemd-journal", "sh", "")
	p.Argv0 = r.one(p.Exe, "sshd: x", "[kthreadd]", "")
	p.Script = r.one("", "/usr/sbin/firewalld", "/home/anna/x.py", "x.py")
	p.UID, p.User = r.IntN(3)-1, r.one("root", "anna", `NT AUTHORITY\SYSTEM`)
	p.Slice, p.Unit = r.one("", "system.slice", "user.slice"), r.one("", "x.service", "session-1.scope")
	p.Root = r.one("/", "/", "/home")
	p.State = process.State(r.one("R", "S", "Z")[0])
	if r.maybe() {
		p.Container, p.ContainerInit = "box", r.maybe()
	}
	f := &p.File
	f.Deleted, f.Memory, f.Writable, f.Trusted, f.CommIsLink = r.maybe(), r.maybe(), r.maybe(), !r.maybe(), r.maybe()
	p.Namespaces.ByUser = r.maybe()
	if r.maybe() {
		p.Denied = process.Denied(r.IntN(16))
	}
	for range r.IntN(6) {
		p.Listen = append(p.Listen, r.socket())
	}
	return p
}

func (r arbitrary) moment() Moment { return Moment{HighMemory: r.maybe(), Ended: r.IntN(20) == 0} }

// many runs a property over many processes.
func many(t *testing.T, property func(r arbitrary, p *process.Process, m Moment)) {
	t.Helper()
	for seed := range uint64(2000) {
		r := arbitrary{rand.New(rand.NewPCG(seed, 1))}
		property(r, r.process(), r.moment())
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// copied is a process that shares nothing that could change with the first.
func copied(p *process.Process) *process.Process {
	twin, facts := *p, *p.Facts
	twin.Facts, twin.Listen = &facts, slices.Clone(p.Listen)
	return &twin
}

func TestSameDataSameVerdict(t *testing.T) {
	other := NewJudge(Criteria{HighMemoryRatio: DefaultHighMemoryRatio})
	many(t, func(r arbitrary, p *process.Process, m Moment) {
		set := platforms[r.IntN(len(platforms))]
		before := copied(p)
		first := judge.Assess(p, m, set)
		if !reflect.DeepEqual(p, before) {
			t.Errorf("the process was changed: %+v, was %+v", p, before)
		}
		if second := other.Assess(copied(p), m, set); !reflect.DeepEqual(first, second) {
			t.Errorf("%+v, then %+v", first, second)
		}
	})
}

func TestOrderOfSocketsDoesNotMatter(t *testing.T) {
	many(t, func(r arbitrary, p *process.Process, m Moment) {
		shuffled := copied(p)
		r.Shuffle(len(shuffled.Listen), func(i, j int) {
			shuffled.Listen[i], shuffled.Listen[j] = shuffled.Listen[j], shuffled.Listen[i]
		})
		a, b := judge.Assess(p, m, linux), judge.Assess(shuffled, m, linux)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("[%s], then [%s]", list(a.Warnings), list(b.Warnings))
		}
		for _, l := range language.All {
			if e, f := Explain(p, nil, &a, l), Explain(shuffled, nil, &b, l); !reflect.DeepEqual(e, f) {
				t.Errorf("%+v, then %+v", e, f)
			}
		}
	})
}

// An expectation never makes a verdict worse nor hides a warning, and where the
// name is not to be trusted it changes nothing.
func TestExpectationsNeverHarm(t *testing.T) {
	many(t, func(r arbitrary, p *process.Process, m Moment) {
		var expected []string
		for range r.IntN(4) {
			code := Codes[r.IntN(len(Codes))]
			expected = append(expected, Warning{Code: code, Subject: strconv.Itoa(r.IntN(1200))}.String(), string(code))
		}
		document := policy.Document{Name: p.Name, Platform: policy.Linux}
		without := judge.Assess(p, m, policy.NewSet(policy.Linux, document))
		document.ExpectedWarnings = expected
		with := judge.Assess(p, m, policy.NewSet(policy.Linux, document))
		if with.Verdict > without.Verdict || len(with.Warnings) != len(without.Warnings) {
			t.Errorf("expecting %v: %v [%s], without: %v [%s]", expected, with.Verdict, list(with.Warnings), without.Verdict, list(without.Warnings))
		}
		if !p.File.Trusted && !reflect.DeepEqual(with.Warnings, without.Warnings) {
			t.Errorf("name not trusted, yet expecting %v: [%s], without: [%s]", expected, list(with.Warnings), list(without.Warnings))
		}
	})
}

// The verdict is that of section 5 of the design, and no warning comes twice.
func TestVerdictOfAnything(t *testing.T) {
	many(t, func(_ arbitrary, p *process.Process, m Moment) {
		a := judge.Assess(p, m, linux)
		if a.Excluded {
			return
		}
		seen, counting, danger := map[string]bool{}, false, false
		for i, w := range a.Warnings {
			if seen[w.String()] {
				t.Errorf("twice: %s", w)
			}
			seen[w.String()] = true
			counting = counting || !w.Expected && w.Severity >= Warn
			danger = danger || !w.Expected && w.Severity == Danger
			if i > 0 && w.Severity > a.Warnings[i-1].Severity {
				t.Errorf("not by severity: [%s]", list(a.Warnings))
			}
		}
		safe := a.Known() && !counting && a.Unseen == 0 && !p.Namespaces.ByUser
		dangerous := danger || counting && !a.Known()
		if (a.Verdict == Safe) != safe || (a.Verdict == Dangerous) != dangerous {
			t.Errorf("%v, known %v, unseen %v: [%s]", a.Verdict, a.Known(), a.Unseen, list(a.Warnings))
		}
		if seen["FILELESS_EXE"] && seen["DELETED_EXE"] {
			t.Errorf("fileless and deleted: [%s]", list(a.Warnings))
		}
	})
}
