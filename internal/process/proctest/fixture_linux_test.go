package proctest_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"server-monitor/internal/process"
	"server-monitor/internal/process/proctest"
)

func snapshot(t *testing.T, r *process.Reader) *process.Snapshot {
	t.Helper()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newReader(t *testing.T, f *proctest.Fixture) *process.Reader {
	t.Helper()
	r, err := process.NewReader(process.Config{Proc: f.Proc, Root: f.Root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestReaderMeetsEveryProcess(t *testing.T) {
	for name, tree := range map[string]proctest.Tree{
		"small": proctest.Small(), "hostile": proctest.Hostile(), "container": proctest.Container(), "many": proctest.Many(500),
	} {
		t.Run(name, func(t *testing.T) {
			s := snapshot(t, newReader(t, tree.Write(t)))
			var got, want []int
			for _, p := range s.Processes {
				got = append(got, p.PID)
			}
			for _, p := range tree.Processes {
				want = append(want, p.PID)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pids (-want +got):\n%s", diff)
			}
			if s.MemoryTotal != proctest.MemoryTotal {
				t.Errorf("memory %d", s.MemoryTotal)
			}
		})
	}
}

func TestManyIsTheSameEveryTime(t *testing.T) {
	a, b := proctest.Many(5000), proctest.Many(5000)
	if len(a.Processes) != 5000 {
		t.Errorf("%d processes, want 5000", len(a.Processes))
	}
	if diff := cmp.Diff(a.Processes, b.Processes); diff != "" {
		t.Errorf("two calls differ: %s", diff)
	}
}

// TestStatHasTheFieldsOfTheKernel compares the shape with that of a real file.
func TestStatHasTheFieldsOfTheKernel(t *testing.T) {
	f := proctest.Tree{Processes: []proctest.Process{{PID: 7, Exe: "/usr/bin/tool"}}}.Write(t)
	kernels, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(filepath.Join(f.Proc, "7/stat"))
	if err != nil {
		t.Fatal(err)
	}
	count := func(b []byte) (n int) {
		for _, c := range b {
			if c == ' ' || c == '\n' {
				n++
			}
		}
		return n
	}
	if count(kernels) != count(made) {
		t.Errorf("%d fields, the kernel writes %d:\n%s%s", count(made), count(kernels), made, kernels)
	}
}

func TestFixtureChanges(t *testing.T) {
	tree := proctest.Small()
	f := tree.Write(t)
	r := newReader(t, f)
	find := func(pid int) *process.Process {
		s := snapshot(t, r)
		for i := range s.Processes {
			if s.Processes[i].PID == pid {
				return &s.Processes[i]
			}
		}
		return nil
	}
	f.PutFile(proctest.File{Path: "/usr/bin/vim"})
	f.Put(proctest.Process{PID: 5000, PPID: 1, Exe: "/usr/bin/vim", Sockets: []uint64{9}})
	f.SetSockets(proctest.TCP("0.0.0.0:8080", 9))
	p := find(5000)
	if p == nil || p.Name != "vim" || len(p.Listen) != 1 || p.Listen[0].Addr.Port() != 8080 {
		t.Fatalf("after Put: %+v", p)
	}
	f.Put(proctest.Process{PID: 5000, PPID: 1, Exe: "/usr/bin/bash"})
	if p := find(5000); p == nil || p.Name != "bash" || len(p.Listen) != 0 {
		t.Errorf("after another execution: %+v", p)
	}
	f.Remove(5000)
	if p := find(5000); p != nil {
		t.Errorf("after Remove: %+v", p)
	}
	f.Put(proctest.Process{PID: 2301, PPID: 1, Exe: "/usr/bin/bash", StartTicks: 1 << 40})
	if p := find(2301); p == nil || p.StartTicks != 1<<40 || p.Name != "bash" {
		t.Errorf("after the pid was used again: %+v", p)
	}
}

func TestTerminalNumbers(t *testing.T) {
	for _, n := range []int{0, 3, 255, 300} {
		f := proctest.Tree{Processes: []proctest.Process{{PID: 7, Exe: "/bin/sh", TTY: proctest.PTS(n)}}}.Write(t)
		s := snapshot(t, newReader(t, f))
		if want := "pts/" + strconv.Itoa(n); s.Processes[0].TTY != want {
			t.Errorf("terminal %q, want %q", s.Processes[0].TTY, want)
		}
	}
}
