package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"server-monitor/internal/process/proctest"
)

func fixtureReader(t testing.TB, f *proctest.Fixture) *Reader {
	t.Helper()
	r, err := NewReader(Config{Proc: f.Proc, Root: f.Root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// line is a process in short, for comparison.
func line(p *Process) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", p.Name)
	if p.Exe != "" {
		fmt.Fprintf(&b, " exe=%q", p.Exe)
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{p.Kernel, "kernel"}, {p.State.ended(), "zombie"}, {p.File.Deleted, "deleted"}, {p.File.Memory, "memory"}, {p.File.Writable, "writable"}, {p.File.Trusted, "trusted"},
		{p.Namespaces.ByUser, "byuser"}, {p.ContainerInit, "init"},
	} {
		if flag.set {
			b.WriteString(" " + flag.name)
		}
	}
	for _, part := range [][2]string{{"user", p.User}, {"unit", p.Unit}, {"userunit", p.UserUnit}, {"slice", p.Slice}, {"container", p.Container}, {"tty", p.TTY}, {"script", p.Script}} {
		if part[1] != "" {
			fmt.Fprintf(&b, " %s=%s", part[0], Printable(part[1]))
		}
	}
	if p.Root != "/" {
		fmt.Fprintf(&b, " root=%s", p.Root)
	}
	for _, s := range p.Listen {
		fmt.Fprintf(&b, " %v/%v/%v", s.Protocol, s.Addr, s.Scope())
	}
	return b.String()
}

func checkLines(t *testing.T, tree proctest.Tree, want map[int]string) {
	t.Helper()
	r := fixtureReader(t, tree.Write(t))
	for range 2 { // the second time from what is known
		s := take(t, r)
		for i := range s.Processes {
			p := &s.Processes[i]
			if w, ok := want[p.PID]; ok && line(p) != w {
				t.Errorf("%d:\n got %s\nwant %s", p.PID, line(p), w)
			}
		}
		if len(s.Processes) != len(tree.Processes) {
			t.Errorf("%d processes, want %d", len(s.Processes), len(tree.Processes))
		}
	}
}

func TestSmallServer(t *testing.T) {
	const session = " unit=session-3.scope slice=user.slice"
	checkLines(t, proctest.Small(), map[int]string{
		1:    `"systemd" exe="/usr/lib/systemd/systemd" trusted user=root unit=init.scope`,
		2:    `"kthreadd" kernel user=root`,
		11:   `"kworker/0:1-events" kernel user=root`,
		634:  `"systemd-journald" exe="/usr/lib/systemd/systemd-journald" trusted user=root unit=systemd-journald.service slice=system.slice`,
		801:  `"chronyd" exe="/usr/sbin/chronyd" trusted user=chrony unit=chronyd.service slice=system.slice udp/127.0.0.1:323/loopback udp/[::1]:323/loopback`,
		902:  `"sshd" exe="/usr/sbin/sshd" trusted user=root unit=sshd.service slice=system.slice tcp/0.0.0.0:22/public tcp/[::]:22/public`,
		1020: `"nginx" exe="/usr/sbin/nginx" trusted user=root unit=nginx.service slice=system.slice tcp/0.0.0.0:80/public tcp/[::]:80/public tcp/0.0.0.0:443/public`,
		1021: `"nginx" exe="/usr/sbin/nginx" trusted user=nginx unit=nginx.service slice=system.slice tcp/0.0.0.0:80/public tcp/[::]:80/public tcp/0.0.0.0:443/public`,
		1100: `"postgres" exe="/usr/bin/postgres" trusted user=postgres unit=postgresql.service slice=system.slice tcp/127.0.0.1:5432/loopback tcp/[::1]:5432/loopback`,
		2200: `"sshd" exe="/usr/sbin/sshd" trusted user=root` + session,
		2205: `"systemd" exe="/usr/lib/systemd/systemd" trusted user=rocky unit=user@1000.service userunit=init.scope slice=user.slice`,
		2216: `"bash" exe="/usr/bin/bash" trusted user=rocky` + session + ` tty=pts/0`,
		2301: `"report" exe="/home/rocky/bin/report" user=rocky` + session + ` tty=pts/0`,
		2302: `"helper" zombie user=rocky tty=pts/0`,
	})
}

func TestHostileServer(t *testing.T) {
	const session = " user=mallory unit=session-9.scope slice=user.slice"
	const home = "/home/mallory/"
	checkLines(t, proctest.Hostile(), map[int]string{
		3001: `"x) R 1 1 1 (y" exe="/home/mallory/x) R 1 1 1 (y"` + session,
		3002: fmt.Sprintf("%q exe=%q", "a\nb\"c'\\d{e=\"f\"}", home+"a\nb\"c'\\d{e=\"f\"}") + session,
		3004: fmt.Sprintf("%q exe=%q", "\xff\xfe\xc0\xaf", home+"\xff\xfe\xc0\xaf") + session,
		3011: `"gone" exe="/home/mallory/gone" deleted` + session,
		3012: `"tool (deleted)" exe="/home/mallory/tool (deleted)"` + session,
		3013: `"rsyslogd" exe="/usr/sbin/rsyslogd" deleted` + session,
		3021: `"memfd:sshd" exe="/memfd:/usr/sbin/sshd" deleted memory` + session,
		3022: `"memfd:x" exe="/memfd:x" deleted memory` + session,
		3023: `"shm" exe="/dev/shm/shm" deleted memory` + session,
		3031: `"miner" exe="/tmp/.x/miner"` + session,
		3033: `"python3.9" exe="/usr/bin/python3.9" trusted` + session + ` script=/home/mallory/sshd.py`,
		3041: `"nginx" exe="/srv/jail/usr/sbin/nginx" trusted` + session + ` root=/srv/jail`,
		3042: `"sshd" exe="/usr/sbin/sshd" byuser` + session,
		3051: `"service" exe="/home/mallory/service" user=mallory unit=user@1001.service userunit=nginx.service slice=user.slice`,
		3061: `"writable" exe="/usr/local/bin/writable" writable` + session,
		3062: `"tool" exe="/opt/open/tool" writable` + session,
		3063: `"tool" exe="/tmp/tool"` + session,
		3071: `"huge" exe="/home/mallory/huge"` + session + ` tcp/0.0.0.0:6379/public`,
	})
}

func TestContainerHost(t *testing.T) {
	docker := " unit=docker-" + proctest.DockerID + ".scope slice=system.slice container=" + proctest.DockerID
	checkLines(t, proctest.Container(), map[int]string{
		720: `"nginx" exe="/usr/sbin/nginx" init user=root` + docker + ` tcp/0.0.0.0:80/private tcp/[::]:80/private`,
		721: `"nginx" exe="/usr/sbin/nginx" user=101` + docker + ` tcp/0.0.0.0:80/private tcp/[::]:80/private`,
		730: `"docker-proxy" exe="/usr/bin/docker-proxy" trusted user=root unit=docker.service slice=system.slice tcp/0.0.0.0:8080/public`,
		800: `"redis-server" exe="/usr/bin/redis-server" byuser user=100999 unit=user@1000.service userunit=libpod-` + proctest.PodmanID + `.scope slice=user.slice container=` +
			proctest.PodmanID + ` tcp/0.0.0.0:6379/private`,
		900: `"app" exe="/usr/local/bin/app" init user=rocky container=` + proctest.ClassicID + ` tcp/127.0.0.1:9000/loopback`,
		920: `"systemd" exe="/usr/lib/systemd/systemd" init user=root unit=machine-rocky9.scope slice=machine.slice container=rocky9`,
		921: `"sshd" exe="/usr/sbin/sshd" user=root unit=machine-rocky9.scope slice=machine.slice container=rocky9 tcp/0.0.0.0:2222/public`,
	})
}

func TestUnownedSockets(t *testing.T) {
	f := proctest.Hostile().Write(t)
	r := fixtureReader(t, f)
	if s := take(t, r); s.UnownedSockets != 1 {
		t.Errorf("%d sockets without an owner, want 1", s.UnownedSockets)
	}
	f.SetSockets()
	if s := take(t, r); s.UnownedSockets != 0 || len(find(s, 902).Listen) != 0 {
		t.Errorf("%d sockets without an owner, want 0", s.UnownedSockets)
	}
}

// TestRevision changes one property after the other: each makes a new revision
// but for those that are said not to.
func TestRevision(t *testing.T) {
	base := proctest.Process{PID: 4000, PPID: 1, Exe: "/usr/bin/tool", UID: 1000, Cgroup: "/system.slice/a.service"}
	cases := []struct {
		name   string
		change func(*proctest.Process)
		turn   bool // nothing in stat tells it
		same   bool
	}{
		{"nothing", func(*proctest.Process) {}, false, true},
		{"state", func(p *proctest.Process) { p.State = 'R' }, false, true},
		{"cpu", func(p *proctest.Process) { p.CPUTicks = 100 }, false, true},
		{"memory", func(p *proctest.Process) { p.RSS = 1 << 20 }, false, true},
		{"threads", func(p *proctest.Process) { p.Threads = 9 }, false, true},
		{"descriptors", func(p *proctest.Process) { p.Descriptors = 9 }, false, true},
		{"execution of the same", func(p *proctest.Process) { p.Image = 1 }, false, true},
		{"parent", func(p *proctest.Process) { p.PPID = 2 }, false, false},
		{"comm", func(p *proctest.Process) { p.Comm = "x" }, false, false},
		{"session", func(p *proctest.Process) { p.Session = 1 }, false, false},
		{"terminal", func(p *proctest.Process) { p.TTY = proctest.PTS(3) }, false, false},
		{"exe", func(p *proctest.Process) { p.Exe = "/usr/bin/other" }, false, false},
		{"argv0", func(p *proctest.Process) { p.Args = []string{"other"}; p.Image = 1 }, false, false},
		{"user", func(p *proctest.Process) { p.UID = 7 }, false, false},
		{"socket", func(p *proctest.Process) { p.Sockets = []uint64{7001} }, false, false},
		{"rewritten argv0", func(p *proctest.Process) { p.Args = []string{"other"} }, true, false},
		{"cgroup", func(p *proctest.Process) { p.Cgroup = "/system.slice/b.service" }, true, false},
		{"root", func(p *proctest.Process) { p.Root = "/srv" }, true, false},
		{"mount namespace", func(p *proctest.Process) { p.Mount = 7 }, true, false},
		{"network namespace", func(p *proctest.Process) { p.Net = 7 }, true, false},
		{"pid namespace", func(p *proctest.Process) { p.PIDNS = 7 }, true, false},
		{"user namespace", func(p *proctest.Process) { p.User = 7 }, true, false},
	}
	tree := proctest.Tree{
		Processes: []proctest.Process{{PID: 1, Exe: "/sbin/init"}, base},
		Files:     []proctest.File{{Path: "/usr/bin/other"}},
		Sockets:   []proctest.Socket{proctest.TCP("127.0.0.1:80", 7001)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := tree.Write(t)
			r := fixtureReader(t, f)
			before := *look(t, r, 4000)
			p := base
			c.change(&p)
			f.Put(p)
			after := look(t, r, 4000)
			if c.turn {
				for range factsTurn {
					after = look(t, r, 4000)
				}
			}
			if (after.Revision == before.Revision) != c.same {
				t.Errorf("revision %d, was %d\nbefore %+v %+v\nafter  %+v %+v", after.Revision, before.Revision, before, before.Facts, after, after.Facts)
			}
			if c.same && before.Facts != after.Facts {
				t.Error("other facts in the same revision")
			}
		})
	}
}

// TestRevisionFollowsFiles changes the executable and nothing of the process.
func TestRevisionFollowsFiles(t *testing.T) {
	f := proctest.Small().Write(t)
	r := fixtureReader(t, f)
	revision := look(t, r, 1020).Revision
	f.PutFile(proctest.File{Path: "/usr/sbin/nginx", Mode: 0o757})
	s := take(t, r)
	for _, pid := range []int{1020, 1021} {
		if p := find(s, pid); !p.File.Writable || p.File.Trusted || p.Revision == revision {
			t.Errorf("%d: %+v, revision %d, was %d", pid, p.File, p.Revision, revision)
		}
	}
	f.PutFile(proctest.File{Path: "/usr/sbin/nginx", FolderMode: 0o777})
	if p := look(t, r, 902); !p.File.Writable || p.File.Trusted {
		t.Errorf("in the same folder: %+v", p.File)
	}
}

// TestRevisionsAreUsedOnce lets a pid come back to what it was.
func TestRevisionsAreUsedOnce(t *testing.T) {
	f := proctest.Small().Write(t)
	r := fixtureReader(t, f)
	tree := proctest.Small()
	original := *tree.Process(2301)
	seen := map[uint64]string{}
	for i := range 10 {
		p := original
		if i%2 == 1 {
			p.Comm = "other"
		}
		f.Put(p)
		now := look(t, r, 2301)
		if comm, ok := seen[now.Revision]; ok && comm != now.Comm {
			t.Errorf("revision %d was %q and is %q", now.Revision, comm, now.Comm)
		}
		seen[now.Revision] = now.Comm
		if i%3 == 2 { // known no more, with the same identity later
			f.Remove(2301)
			take(t, r)
		}
	}
}

// TestUnsteadyFactsAreReadAgain has what may be of several programs corrected by
// the next snapshot.
func TestUnsteadyFactsAreReadAgain(t *testing.T) {
	r := fixtureReader(t, proctest.Small().Write(t))
	want := look(t, r, 902)
	mixed := *want.Facts
	mixed.Name, mixed.File.Trusted = "mixed", false
	r.processes[902].facts, r.processes[902].unsteady = &mixed, true
	if p := look(t, r, 902); *p.Facts != *want.Facts {
		t.Errorf("%+v, want %+v", p.Facts, want.Facts)
	}
	if r.processes[902].unsteady {
		t.Error("still unsteady")
	}
}

// TestUserNamespaceIsNotTrusted has an ordinary user make a namespace in which
// they may point the link exe at any file of the host.
func TestUserNamespaceIsNotTrusted(t *testing.T) {
	tree := proctest.Small()
	tree.Files = append(tree.Files, proctest.File{Path: "/usr/bin/sh", Link: "/usr/bin/bash"})
	for pid, user := range map[int]uint64{4000: 0, 4001: 4026532900} {
		tree.Processes = append(tree.Processes, proctest.Process{PID: pid, PPID: 1, Exe: "/usr/bin/bash", Comm: "sh", UID: 1001, User: user})
	}
	s := take(t, fixtureReader(t, tree.Write(t)))
	if f := find(s, 4000).File; !f.Trusted || !f.CommIsLink {
		t.Errorf("on the host: %+v", f)
	}
	if f := find(s, 4001).File; f.Trusted || f.CommIsLink {
		t.Errorf("in a namespace of a user's: %+v", f)
	}
}

// TestSharedSocketByAnotherDescriptor moves a socket that two processes share to
// another descriptor of one of them.
func TestSharedSocketByAnotherDescriptor(t *testing.T) {
	web := []uint64{20011, 20012, 20013}
	f := proctest.Small().Write(t)
	r := fixtureReader(t, f)
	tree := proctest.Small()
	worker := *tree.Process(1021)
	take(t, r)
	worker.Sockets = []uint64{web[2], web[0], web[1]}
	f.Put(worker)
	if p := look(t, r, 1021); len(p.Listen) != len(web) {
		t.Errorf("%v, want three sockets", p.Listen)
	}
}

// TestBackInTheNetworkOfTheHost lists the host's sockets through a process that is
// believed to live elsewhere.
func TestBackInTheNetworkOfTheHost(t *testing.T) {
	tree := proctest.Small()
	guest := proctest.Process{PID: 4000, PPID: 1, Exe: "/usr/bin/bash", Net: 4026532204}
	tree.Processes = append(tree.Processes, guest)
	f := tree.Write(t)
	r := fixtureReader(t, f)
	r.youngLife = 0
	for (r.sequence+uint64(guest.PID))%factsTurn != 0 { // it was its turn, and will not be soon
		take(t, r)
	}
	guest.Net, guest.Sockets = 0, []uint64{60000}
	f.Put(guest)
	f.SetSockets(append(tree.Sockets, proctest.TCP("0.0.0.0:8080", 60000))...)
	if err := os.Symlink("../1/net", filepath.Join(f.Proc, "4000/net")); err != nil {
		t.Fatal(err)
	}
	s := take(t, r)
	if find(s, 4000).Namespaces.Net != 4026532204 {
		t.Fatal("the reader knows already")
	}
	for _, pid := range []int{902, 4000} {
		if p := find(s, pid); len(p.Listen) == 0 || p.Listen[0].Scope() != Public {
			t.Errorf("%d: %+v", pid, p.Listen)
		}
	}
}

// TestManyProcesses reads a big machine, and again.
func TestManyProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 5,000 processes")
	}
	const n = 5000
	tree := proctest.Many(n)
	r := fixtureReader(t, tree.Write(t))
	s := take(t, r)
	if len(s.Processes) != n || s.UnownedSockets != 0 {
		t.Fatalf("%d processes, %d sockets without an owner", len(s.Processes), s.UnownedSockets)
	}
	listeners := 0
	for i := range s.Processes {
		listeners += len(s.Processes[i].Listen)
	}
	if listeners != len(tree.Sockets) {
		t.Errorf("%d sockets, want %d", listeners, len(tree.Sockets))
	}
	again := take(t, r)
	for i := range again.Processes {
		if a, b := &s.Processes[i], &again.Processes[i]; a.Identity != b.Identity || a.Facts != b.Facts || a.Revision != b.Revision {
			t.Fatalf("%+v became %+v", a, b)
		}
	}
}

func TestSnapshotsAreImmutable(t *testing.T) {
	f := proctest.Small().Write(t)
	r := fixtureReader(t, f)
	first := take(t, r)
	var before []string
	for i := range first.Processes {
		before = append(before, line(&first.Processes[i]))
	}
	for _, pid := range []int{902, 1020, 1021, 2301} {
		f.Put(proctest.Process{PID: pid, PPID: 7, Exe: "/usr/bin/other", UID: 7, StartTicks: 1 << 30})
	}
	f.SetSockets()
	take(t, r)
	for i := range first.Processes {
		if now := line(&first.Processes[i]); now != before[i] {
			t.Errorf("%s became %s", before[i], now)
		}
	}
}

func TestSnapshotIsCancelled(t *testing.T) {
	f := proctest.Many(600).Write(t)
	r := fixtureReader(t, f)
	for _, after := range []int{0, 1, 2, 3, 50, 300} {
		if _, err := r.Snapshot(&countdown{Context: t.Context(), left: after}); err == nil {
			t.Errorf("cancelled after %d looks, but no error", after)
		}
	}
	s := take(t, r)
	want := take(t, fixtureReader(t, f))
	if len(s.Processes) != 600 || s.UnownedSockets != want.UnownedSockets {
		t.Errorf("%d processes, %d sockets without an owner after all that", len(s.Processes), s.UnownedSockets)
	}
	for i := range s.Processes {
		if !slices.Equal(s.Processes[i].Listen, want.Processes[i].Listen) {
			t.Errorf("%v, want %v", s.Processes[i].Listen, want.Processes[i].Listen)
		}
	}
}

// countdown is a context that ends once it was asked some times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}
