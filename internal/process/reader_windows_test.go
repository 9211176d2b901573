package process

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSnapshotOfRealProcesses looks at everything that runs, and at a process
// of which all is known.
func TestSnapshotOfRealProcesses(t *testing.T) {
	r := newReader(t)
	program := copyOfTest(t, "Some Tool.exe")
	h := startHelper(t, program, "wait")
	s := take(t, r)
	for i := range s.Processes {
		if i > 0 && s.Processes[i-1].PID >= s.Processes[i].PID {
			t.Errorf("pid %d behind %d", s.Processes[i].PID, s.Processes[i-1].PID)
		}
	}
	if s.MemoryTotal < 1<<26 || len(s.Processes) < 2 || s.Hidden != 0 {
		t.Errorf("memory %d, %d processes", s.MemoryTotal, len(s.Processes))
	}
	p := find(s, h.Process.Pid)
	if p == nil {
		t.Fatal("the helper is not in the snapshot")
	}
	if p.Name != "Some Tool.exe" || p.Comm != p.Name || !strings.EqualFold(p.Exe, filepath.ToSlash(program)) || p.Argv0 != filepath.ToSlash(program) && !onWine() {
		t.Errorf("name %q, comm %q, exe %q, argv0 %q, want those of %q", p.Name, p.Comm, p.Exe, p.Argv0, program)
	}
	if p.PPID != os.Getpid() || p.Threads < 2 || p.OpenFDs < 3 || p.ResidentBytes < 1<<18 || p.State.ended() || p.Kernel || p.UID != -1 {
		t.Errorf("%+v", p)
	}
	if age := time.Since(p.StartTime); age < 0 || age > time.Minute {
		t.Errorf("started %v ago", age)
	}
	if p.Denied != 0 || p.User == "" || p.Windows == nil || !IsPersonSID(p.Windows.SID) || p.Windows.Session < 0 || p.Windows.Protected || p.Windows.Critical {
		t.Errorf("user %q, denied %v, %+v", p.User, p.Denied, p.Windows)
	}
	if p.File.Deleted || p.File.Trusted || p.File.Inode == 0 {
		t.Errorf("%+v", p.File)
	}
	if again, err := ParseIdentity(p.Identity.String()); err != nil || again != p.Identity {
		t.Errorf("identity %v read back as %v: %v", p.Identity, again, err)
	}
	t.Logf("%d processes, user %s, %+v", len(s.Processes), p.User, *p.Windows)
}

// TestFiguresThatChange sees what a process does with the processor, and that
// this is no change of what it is.
func TestFiguresThatChange(t *testing.T) {
	r := newReader(t)
	h := startHelper(t, "", "spin")
	first := find(take(t, r), h.Process.Pid)
	time.Sleep(500 * time.Millisecond)
	second := find(take(t, r), h.Process.Pid)
	if first == nil || second == nil {
		t.Fatal("the helper is not in the snapshots")
	}
	if second.CPUSeconds <= first.CPUSeconds || second.CPUSeconds > 60 {
		t.Errorf("%v seconds, then %v", first.CPUSeconds, second.CPUSeconds)
	}
	if second.Revision != first.Revision || second.Facts != first.Facts || second.Identity != first.Identity {
		t.Errorf("revision %d, then %d", first.Revision, second.Revision)
	}
}

func TestListeningPorts(t *testing.T) {
	r := newReader(t)
	h := startHelper(t, "", "listen")
	addresses := strings.Fields(h.said)
	want := []Socket{
		{Protocol: TCP, Addr: netip.MustParseAddrPort(addresses[0])},
		{Protocol: UDP, Addr: netip.MustParseAddrPort(addresses[1])},
	}
	slices.SortFunc(want, compareSockets)
	s := take(t, r)
	p := find(s, h.Process.Pid)
	if p == nil || !slices.Equal(p.Listen, want) {
		t.Fatalf("%v, want %v; of all: %v", p.Listen, want, s.UnownedSockets)
	}
	for _, socket := range p.Listen {
		if want := map[Protocol]Scope{TCP: Public, UDP: Loopback}[socket.Protocol]; socket.Scope() != want {
			t.Errorf("%v is %v", socket, socket.Scope())
		}
	}
	for i := range s.Processes {
		if other := &s.Processes[i]; other.PID != p.PID && slices.Contains(other.Listen, want[0]) {
			t.Errorf("%d %s listens there too", other.PID, other.Name)
		}
	}
}

// TestEndedProcess forgets a process that has ended, though somebody holds it.
func TestEndedProcess(t *testing.T) {
	r := newReader(t)
	h := startHelper(t, "", "wait")
	if find(take(t, r), h.Process.Pid) == nil {
		t.Fatal("the helper is not in the snapshot")
	}
	held, err := Open(Config{}, h.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := h.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := held.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := find(take(t, r), h.Process.Pid); p != nil && !p.State.ended() {
		t.Errorf("%+v", p)
	}
	_ = h.Wait()
	held.Close()
	for range 50 {
		if find(take(t, r), h.Process.Pid) == nil && r.processes[h.Process.Pid] == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("it is still there")
}

// TestReusedPID gives a pid that the reader knows another beginning, as that of
// another process: nothing of the old one may be left.
func TestReusedPID(t *testing.T) {
	r := newReader(t)
	h := startHelper(t, "", "wait")
	first := find(take(t, r), h.Process.Pid)
	if first == nil {
		t.Fatal("the helper is not in the snapshot")
	}
	old := r.processes[h.Process.Pid]
	old.StartTicks--
	old.facts = &Facts{Name: "old.exe", Windows: &Windows{SID: SIDSystem}}
	second := find(take(t, r), h.Process.Pid)
	if second.Name != first.Name || second.Identity != first.Identity || second.Revision == first.Revision || second.Windows.SID == SIDSystem {
		t.Errorf("%+v", second.Facts)
	}
}

// TestServices finds which processes host services.
func TestServices(t *testing.T) {
	s := take(t, newReader(t))
	hosts := 0
	for i := range s.Processes {
		if s.Processes[i].Unit != "" {
			hosts++
			t.Logf("%s hosts %s", s.Processes[i].Name, s.Processes[i].Unit)
		}
	}
	if hosts == 0 {
		t.Error("no process hosts a service")
	}
}

func TestParents(t *testing.T) {
	s := take(t, newReader(t))
	for i := range s.Processes {
		p := &s.Processes[i]
		if p.PPID == 0 {
			continue
		}
		if parent := find(s, p.PPID); parent == nil || parent.StartTicks > p.StartTicks {
			t.Errorf("%d %s is the child of %d: %+v", p.PID, p.Name, p.PPID, parent)
		}
	}
	child := startHelper(t, "", "wait")
	if found := Ancestors(child.Process.Pid); len(found) == 0 || found[0] != os.Getpid() {
		t.Errorf("ancestors %v of a child of %d", found, os.Getpid())
	}
}

func BenchmarkSnapshot(b *testing.B) {
	r, err := NewReader(Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for b.Loop() {
		if _, err := r.Snapshot(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
