package risk

import (
	"strings"
	"testing"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// The three cases of the seed's chapter on explaining.
func TestCasesOfTheSeed(t *testing.T) {
	at := func(exe string, changes ...made) *process.Process {
		p := program(exe, append([]made{user(-1, `PC\anna`), argv0("")}, changes...)...)
		p.File.Trusted = strings.HasPrefix(strings.ToLower(exe), "c:/windows/") || strings.HasPrefix(strings.ToLower(exe), "c:/program files/")
		return p
	}
	cases := []struct {
		name     string
		process  *process.Process
		known    bool
		verdict  Verdict
		warnings string
	}{
		{"CASE A: known, no warning", at("C:/Windows/explorer.exe"), true, Safe, ""},
		{"CASE B: unknown, no warning", at("C:/Program Files/Mine/my_custom_tool.exe"), false, Caution, ""},
		{"CASE C: unknown, with warnings", at("C:/Users/anna/hacker_tool.exe", user(-1, `PC\Administrator`)), false, Dangerous,
			"RUNNING_AS_ROOT warn, SUSPICIOUS_PATH warn"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := onWindows(c.process)
			if a.Known() != c.known || a.Verdict != c.verdict || list(a.Warnings) != c.warnings {
				t.Errorf("known %v, %v, [%s], want %v, %v, [%s]", a.Known(), a.Verdict, list(a.Warnings), c.known, c.verdict, c.warnings)
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	document := &policy.Document{Name: "x"}
	all := func(warnings ...Warning) []Warning { return warnings }
	info, warn, danger := Warning{Severity: Info}, Warning{Severity: Warn}, Warning{Severity: Danger}
	expected := func(w Warning) Warning { w.Expected = true; return w }
	cases := []struct {
		name     string
		document *policy.Document
		warnings []Warning
		unseen   process.Denied
		want     Verdict
	}{
		{"known, nothing", document, nil, 0, Safe},
		{"known, info", document, all(info), 0, Safe},
		{"known, expected warn", document, all(expected(warn)), 0, Safe},
		{"known, expected danger", document, all(expected(danger)), 0, Safe},
		{"known, warn", document, all(info, warn), 0, Caution},
		{"known, many warns", document, all(warn, warn, warn), 0, Caution},
		{"known, warn beside an expected danger", document, all(expected(danger), warn), 0, Caution},
		{"known, danger", document, all(danger), 0, Dangerous},
		{"known, danger beside expected ones", document, all(expected(danger), danger, expected(warn)), 0, Dangerous},
		{"unknown, nothing", nil, nil, 0, Caution},
		{"unknown, info", nil, all(info), 0, Caution},
		{"unknown, warn", nil, all(warn), 0, Dangerous},
		{"unknown, danger", nil, all(danger), 0, Dangerous},
		{"known, nothing, unseen executable", document, nil, process.DeniedExe, Caution},
		{"known, nothing, unseen sockets", document, nil, process.DeniedSockets, Caution},
		{"known, expected danger, unseen cgroup", document, all(expected(danger)), process.DeniedCgroup, Caution},
		{"known, danger, unseen", document, all(danger), process.DeniedExe, Dangerous},
		{"unknown, nothing, unseen", nil, nil, process.DeniedExe, Caution},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got, want := verdict(&Assessment{Document: c.document, Warnings: c.warnings, Unseen: c.unseen, Forgeable: true}), max(c.want, Caution); got != want {
				t.Errorf("in a user's own namespace %v, want %v", got, want)
			}
			got := verdict(&Assessment{Document: c.document, Warnings: c.warnings, Unseen: c.unseen})
			if got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestExcluded(t *testing.T) {
	first := func(p *process.Process) { p.ContainerInit = true; container(p) }
	kernel := func(p *process.Process) { p.Kernel, p.Exe = true, "" }
	pid := func(n int) made { return func(p *process.Process) { p.PID = n } }
	cases := []struct {
		name    string
		process *process.Process
		moment  Moment
		set     *policy.Set
		want    bool
	}{
		{"kernel thread", program("/x/kworker/0:1", kernel), Moment{}, linux, true},
		{"zombie", program("/usr/bin/sleep"), Moment{Ended: true}, linux, true},
		{"pause of a container", program("/pause", first), Moment{}, linux, true},
		{"tini of a container", program("/sbin/tini", first), Moment{}, linux, true},
		{"init that Podman mounts", program("/run/podman-init", first), Moment{}, linux, true},
		{"shell of a container", program("/bin/bash", first), Moment{}, linux, true},
		{"shell of Alpine", program("/bin/busybox", first, comm("sh")), Moment{}, linux, true},
		{"another program of Alpine", program("/bin/busybox", first, comm("httpd")), Moment{}, linux, false},
		{"service as the first of a container", program("/usr/sbin/nginx", first), Moment{}, linux, false},
		{"service that calls itself sh", program("/usr/sbin/nginx", first, comm("sh")), Moment{}, linux, false},
		{"shell in a place for everybody", program("/tmp/sh", first), Moment{}, linux, false},
		{"shell without a file", program("/memfd:sh", first, file(func(f *process.File) { f.Memory = true }),
			func(p *process.Process) { p.Name = "sh" }), Moment{}, linux, false},
		{"shell in a container, not the first", program("/bin/bash", container), Moment{}, linux, false},
		{"shell of the host", program("/bin/bash"), Moment{}, linux, false},
		{"System Idle Process", program("", pid(0)), Moment{}, windows, true},
		{"System", program("", pid(4)), Moment{}, windows, true},
		{"pid 4 of Linux", program("/usr/bin/sleep", pid(4)), Moment{}, linux, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := judge.Assess(c.process, c.moment, c.set)
			if a.Excluded != c.want {
				t.Fatalf("excluded %v, want %v", a.Excluded, c.want)
			}
			if a.Excluded && (a.Document != nil || len(a.Warnings) > 0 || a.Verdict != Safe || a.Unseen != 0) {
				t.Errorf("excluded, yet %+v", a)
			}
		})
	}
}

func TestMoment(t *testing.T) {
	const total = 1000
	cases := []struct {
		name     string
		resident uint64
		state    process.State
		total    uint64
		want     Moment
	}{
		{"below", 199, process.Sleeping, total, Moment{}},
		{"at the threshold", 200, process.Sleeping, total, Moment{HighMemory: true}},
		{"above", 1000, process.Running, total, Moment{HighMemory: true}},
		{"machine of unknown memory", 1000, process.Running, 0, Moment{}},
		{"zombie", 0, process.Zombie, total, Moment{Ended: true}},
		{"dead", 0, process.Dead, total, Moment{Ended: true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := program("/usr/bin/sleep", func(p *process.Process) { p.ResidentBytes, p.State = c.resident, c.state })
			if got := judge.Moment(p, c.total); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestHighMemoryIsNeverDangerous(t *testing.T) {
	known := judge.Assess(program("/usr/bin/vim"), Moment{HighMemory: true}, linux)
	if list(known.Warnings) != "HIGH_MEMORY_USAGE info" || known.Verdict != Safe {
		t.Errorf("known: %v, [%s]", known.Verdict, list(known.Warnings))
	}
	unknown := judge.Assess(program("/usr/bin/mine"), Moment{HighMemory: true}, linux)
	if list(unknown.Warnings) != "HIGH_MEMORY_USAGE info" || unknown.Verdict != Caution {
		t.Errorf("unknown: %v, [%s]", unknown.Verdict, list(unknown.Warnings))
	}
}

func TestRunsAsRoot(t *testing.T) {
	cases := []struct {
		name     string
		uid      int
		user     string
		platform policy.Platform
		want     bool
	}{
		{"root", 0, "root", policy.Linux, true},
		{"root by another name", 0, "toor", policy.Linux, true},
		{"somebody called root", 1000, "root", policy.Linux, false},
		{"root of a container's user namespace", 100000, "100000", policy.Linux, false},
		{"SYSTEM", -1, `NT AUTHORITY\SYSTEM`, policy.Windows, true},
		{"SYSTEM without a domain", -1, "SYSTEM", policy.Windows, true},
		{"SYSTEM in German", -1, `NT-AUTORITÄT\SYSTEM`, policy.Windows, true},
		{"SYSTEM in French", -1, `AUTORITE NT\Système`, policy.Windows, true},
		{"SYSTEM in Russian", -1, `NT AUTHORITY\СИСТЕМА`, policy.Windows, true},
		{"Administrator", -1, `PC\Administrator`, policy.Windows, true},
		{"administrator", -1, `pc\administrator`, policy.Windows, true},
		{"LOCAL SERVICE", -1, `NT AUTHORITY\LOCAL SERVICE`, policy.Windows, false},
		{"somebody", -1, `PC\anna`, policy.Windows, false},
		{"somebody in a domain called so", -1, `SYSTEM\anna`, policy.Windows, false},
		{"a longer name", -1, `PC\SYSTEM2`, policy.Windows, false},
		{"unknown", -1, "", policy.Windows, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := runsAsRoot(program("/usr/bin/x", user(c.uid, c.user)), c.platform); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestDocument(t *testing.T) {
	set := policy.NewSet(policy.Linux,
		policy.Document{Name: "server", Platform: policy.Linux, Paths: []string{"/usr/sbin/server"}},
		policy.Document{Name: "tool", Platform: policy.Common},
		policy.Document{Name: "php-fpm", Platform: policy.Linux, Paths: []string{"/usr/sbin/php-fpm*"}},
		policy.Document{Name: "python", Platform: policy.Linux, Paths: []string{"/usr/bin/python3*"}},
		policy.Document{Name: "watcher", Platform: policy.Linux, Paths: []string{"/usr/sbin/watcher"}},
		policy.Document{Name: "guard", Platform: policy.Linux, Paths: []string{"/usr/sbin/guard"}, Policy: policy.Policy{IsSystem: true}},
		policy.Document{Name: "firewall", Platform: policy.Linux, Paths: []string{"/usr/sbin/firewall", "/usr/bin/python3*"}, Policy: policy.Policy{IsSystem: true}},
	)
	chroot := func(p *process.Process) { p.Root = "/srv/jail" }
	cases := []struct {
		name    string
		process *process.Process
		want    string
	}{
		{"by executable", program("/usr/sbin/server"), "server"},
		{"in capitals", program("/usr/bin/Tool"), "tool"},
		{"elsewhere", program("/home/anna/server"), ""},
		{"document without paths", program("/home/anna/tool"), "tool"},
		{"version in the name", program("/usr/sbin/php-fpm8.2"), "php-fpm"},
		{"executable unseen", program("", comm("server"), denied(process.DeniedExe)), ""},
		{"executable unseen, document without paths", program("", comm("tool"), denied(process.DeniedExe)), "tool"},
		{"comm is nothing", program("/usr/bin/mine", comm("server"), argv0("server")), ""},
		{"interpreter alone", program("/usr/bin/python3.11"), "python"},
		{"script", program("/usr/bin/python3.11", script("/usr/sbin/watcher")), "watcher"},
		{"script elsewhere", program("/usr/bin/python3.11", script("/home/anna/watcher")), "python"},
		{"script of a program", program("/usr/sbin/server", script("/usr/sbin/watcher")), "server"},
		{"script that a protected program is not", program("/usr/bin/python3.11", script("/usr/sbin/guard")), "python"},
		{"script that a protected program is", program("/usr/bin/python3.11", script("/usr/sbin/firewall")), "firewall"},
		{"in another root folder", program("/srv/jail/usr/sbin/server", chroot), "server"},
		{"in a root folder of a user's own", program("/srv/jail/usr/sbin/server", chroot, rootless), ""},
		{"outside of its root folder", program("/srv/jailbreak/usr/sbin/server", chroot), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := judge.Assess(c.process, Moment{}, set)
			got := ""
			if a.Known() {
				got = a.Document.Name
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestExpectedWarnings(t *testing.T) {
	set := policy.NewSet(policy.Linux,
		policy.Document{Name: "server", Platform: policy.Linux, Paths: []string{"/usr/sbin/server", "/home/anna/server", "/tmp/server"},
			ExpectedWarnings: []string{"RUNNING_AS_ROOT", "PUBLIC_PORT(22)", "SUSPICIOUS_PATH(/tmp/server)"}},
		policy.Document{Name: "opener", Platform: policy.Linux, ExpectedWarnings: []string{"PUBLIC_PORT", "SYSTEM_PORT"}},
		policy.Document{Name: "script", Platform: policy.Linux, Paths: []string{"/usr/sbin/script"}, ExpectedWarnings: []string{"RUNNING_AS_ROOT"}},
		policy.Document{Name: "python3", Platform: policy.Linux, ExpectedWarnings: []string{"RUNNING_AS_ROOT"}},
	)
	cases := []struct {
		name    string
		process *process.Process
		want    string
		verdict Verdict
	}{
		{"code", program("/usr/sbin/server", root), "RUNNING_AS_ROOT warn expected", Safe},
		{"code and subject", program("/usr/sbin/server", listens("tcp 0.0.0.0:22")), "PUBLIC_PORT(22) warn expected", Safe},
		{"another subject", program("/usr/sbin/server", listens("tcp 0.0.0.0:2222")), "PUBLIC_PORT(2222) warn", Caution},
		{"a longer subject", program("/usr/sbin/server", listens("tcp 0.0.0.0:220")), "SYSTEM_PORT(220) danger", Dangerous},
		{"a path", program("/tmp/server"), "SUSPICIOUS_PATH danger expected", Safe},
		{"another path", program("/home/anna/server", func(p *process.Process) { p.File.Trusted = true }), "SUSPICIOUS_PATH warn", Caution},
		{"any subject", program("/usr/bin/opener", listens("tcp 0.0.0.0:3306", "tcp 0.0.0.0:99")),
			"SYSTEM_PORT(99) danger expected, PUBLIC_PORT(3306) danger expected", Safe},
		{"name not trusted", program("/usr/sbin/server", root, untrusted), "RUNNING_AS_ROOT warn", Caution},
		{"in a container", program("/usr/sbin/server", root, container), "RUNNING_AS_ROOT warn", Caution},
		{"script of an interpreter", program("/usr/bin/python3", root, script("/usr/sbin/script")), "RUNNING_AS_ROOT warn", Caution},
		{"interpreter", program("/usr/bin/python3", root), "RUNNING_AS_ROOT warn", Caution},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := judge.Assess(c.process, Moment{}, set)
			if list(a.Warnings) != c.want || a.Verdict != c.verdict {
				t.Errorf("%v [%s], want %v [%s]", a.Verdict, list(a.Warnings), c.verdict, c.want)
			}
		})
	}
}

// The heaviest comes first, and those of one weight in the order of the design,
// ports by number.
func TestOrder(t *testing.T) {
	p := program("/tmp/x", root, listens("tcp 0.0.0.0:80", "tcp 0.0.0.0:3306", "tcp 0.0.0.0:22", "tcp 0.0.0.0:99"),
		file(func(f *process.File) { f.Deleted, f.Writable = true, true }), argv0("[kworker/0:1]"))
	const want = "SYSTEM_PORT(99) danger, PUBLIC_PORT(3306) danger, SUSPICIOUS_PATH danger, MASQUERADE danger, WRITABLE_EXE danger, " +
		"RUNNING_AS_ROOT warn, PUBLIC_PORT(22) warn, DELETED_EXE warn, PUBLIC_PORT(80) info, HIGH_MEMORY_USAGE info"
	if got := list(judge.Assess(p, Moment{HighMemory: true}, linux).Warnings); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
