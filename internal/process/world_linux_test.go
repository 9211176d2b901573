package process

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"server-monitor/internal/process/proctest"
)

// TestKnownReadsLikeNew changes a fixture at random, as a kernel would, and
// compares what a reader that knows it makes of it with what a new one does.
func TestKnownReadsLikeNew(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			w := newWorld(t, seed)
			known := fixtureReader(t, w.fixture)
			known.youngLife = 1 << 60 // what gives no sign is read again at once
			few := fixtureReader(t, w.fixture)
			few.youngLife, few.maxDescriptors = 1<<60, 5
			for step := range 25 {
				w.change()
				want := take(t, fixtureReader(t, w.fixture))
				for name, r := range map[string]*Reader{"known": known, "few descriptors": few} {
					got := take(t, r)
					diff := cmp.Diff(want.Processes, got.Processes,
						cmpopts.IgnoreFields(Process{}, "Revision"), cmpopts.EquateComparable(Socket{}), cmpopts.EquateEmpty())
					if diff != "" || got.UnownedSockets != want.UnownedSockets {
						t.Fatalf("step %d, %s: %d sockets without an owner, want %d; processes (-new +known):\n%s", step, name, got.UnownedSockets, want.UnownedSockets, diff)
					}
				}
			}
		})
	}
}

// world changes a fixture at random.
type world struct {
	*rand.Rand
	fixture   *proctest.Fixture
	processes map[int]proctest.Process
	sockets   map[uint64]proctest.Socket
	ticks     uint64
	inode     uint64
}

var worldExes = []string{"/usr/bin/a", "/usr/bin/b", "/opt/c/c", "/usr/bin/python3", "/usr/bin/a (deleted)", "/memfd:x (deleted)"}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	tree := proctest.Tree{Processes: []proctest.Process{{PID: 1, Exe: "/sbin/init"}}, Users: []proctest.User{{Name: "root"}, {Name: "postgres", UID: 26}}}
	for _, exe := range worldExes[:4] {
		tree.Files = append(tree.Files, proctest.File{Path: exe}, proctest.File{Path: exe, Mount: 4026532201})
	}
	return &world{
		Rand: rand.New(rand.NewPCG(seed, 7)), fixture: tree.Write(t), processes: map[int]proctest.Process{}, sockets: map[uint64]proctest.Socket{}, ticks: 1000, inode: 60000,
	}
}

func pick[T any](w *world, from []T) T { return from[w.IntN(len(from))] }

// change makes some changes and writes them.
func (w *world) change() {
	for range 1 + w.IntN(5) {
		pid := 5000 + w.IntN(12)
		p, lives := w.processes[pid]
		what := w.IntN(8)
		switch {
		case !lives || what == 0:
			p = w.start(pid)
		case what == 1:
			w.fixture.Remove(pid)
			delete(w.processes, pid)
			continue
		case what == 2:
			exe := pick(w, worldExes[:4])
			w.fixture.PutFile(proctest.File{Path: exe, Mode: pick(w, []uint32{0o755, 0o757, 0o775}), FolderMode: pick(w, []uint32{0o755, 0o777, 0o1777})})
			continue
		default:
			w.alter(&p)
		}
		w.processes[pid] = p
		w.fixture.Put(p)
	}
	w.writeSockets()
}

// start makes a new process, which may inherit sockets.
func (w *world) start(pid int) proctest.Process {
	if _, lives := w.processes[pid]; lives && w.IntN(2) == 0 {
		w.fixture.Remove(pid) // else the pid is used again before anybody looks
	}
	w.ticks++
	p := proctest.Process{PID: pid, PPID: 1, StartTicks: w.ticks, Exe: pick(w, worldExes)}
	if w.IntN(10) == 0 {
		return proctest.Process{PID: pid, PPID: 1, StartTicks: w.ticks, Comm: "ended", State: 'Z'}
	}
	if parent, ok := w.processes[5000+w.IntN(12)]; ok && parent.Net == 0 {
		p.PPID, p.Sockets = parent.PID, slices.Clone(parent.Sockets)
	} else if w.IntN(4) == 0 {
		p.Net = 4026532204
	}
	return p
}

// alter changes one property of a process that goes on.
func (w *world) alter(p *proctest.Process) {
	if p.State == 'Z' {
		return
	}
	switch w.IntN(9) {
	case 0:
		p.Exe = pick(w, worldExes)
		p.Args = nil
		if p.Exe == "/usr/bin/python3" {
			p.Args = []string{"python3", pick(w, []string{"/srv/a.py", "-c", "x"})}
		}
	case 1:
		p.UID = pick(w, []int{0, 1000, 26})
	case 2:
		p.Comm = pick(w, []string{"", "kworker/0:1", "a)"})
	case 3:
		p.Cgroup = pick(w, []string{"/system.slice/a.service", "/user.slice/user-1000.slice/session-1.scope", "/docker/" + strings.Repeat("ab", 32)})
	case 4:
		p.Mount = pick(w, []uint64{0, 4026532201})
	case 5:
		p.TTY, p.Session = pick(w, []int{0, proctest.PTS(1)}), 1+w.IntN(3)
	case 6, 7:
		w.inode++
		p.Sockets = append(slices.Clone(p.Sockets), w.inode)
		s := proctest.TCP(fmt.Sprintf("127.0.0.%d:%d", 1+w.IntN(9), 1000+w.IntN(3)), w.inode)
		s.Net, s.UDP = p.Net, w.IntN(3) == 0
		w.sockets[w.inode] = s
	case 8:
		if len(p.Sockets) > 0 {
			p.Sockets = slices.Clone(p.Sockets[1:])
		}
	}
}

// writeSockets writes those that somebody holds: the others are closed.
func (w *world) writeSockets() {
	held := map[uint64]bool{}
	for _, p := range w.processes {
		for _, inode := range p.Sockets {
			held[inode] = true
		}
	}
	var all []proctest.Socket
	for inode, s := range w.sockets {
		if !held[inode] {
			delete(w.sockets, inode)
			continue
		}
		all = append(all, s)
	}
	w.fixture.SetSockets(all...)
}
