package process

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestUnprivileged reads as a user who owns nothing.
func TestUnprivileged(t *testing.T) {
	needRoot(t)
	program := copyTo(t, filepath.Join(folderIn(t, os.TempDir()), "reader"), 0o755)
	h := startHelper(t, program, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}})
	before := take(t, realReader(t))
	var s summary
	if err := json.Unmarshal([]byte(h.do("snapshot")), &s); err != nil {
		t.Fatal(err)
	}
	if least := stayed(before, take(t, realReader(t))); s.Processes < least {
		t.Errorf("%d processes, want at least %d", s.Processes, least)
	}
	for fact, least := range map[string]uint64{"exe": 1, "namespaces": 1, "sockets": 1} {
		if s.Denied[fact] < least {
			t.Errorf("%s was denied %d times", fact, s.Denied[fact])
		}
	}
	if got := s.Unreadable[os.Getpid()]; got != "exe namespaces sockets " {
		t.Errorf("denied of a process of root's: %q", got)
	}
	if got, denied := s.Unreadable[h.pid]; denied {
		t.Errorf("denied of itself: %q", got)
	}
}

// TestHiddenProcesses reads a procfs that shows nobody the processes of others.
func TestHiddenProcesses(t *testing.T) {
	needRoot(t)
	for _, option := range []string{"hidepid=1", "hidepid=2"} {
		t.Run(option, func(t *testing.T) {
			program := copyTo(t, filepath.Join(folderIn(t, os.TempDir()), "reader"), 0o755)
			h := startHelper(t, program, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Unshareflags: unix.CLONE_NEWNS})
			h.do("listen tcp4 127.0.0.1:0")
			h.do("child") // of root's
			var s summary
			if err := json.Unmarshal([]byte(h.do("hidepid "+option)), &s); err != nil {
				t.Fatal(err)
			}
			hidden := map[string]int{"hidepid=1": 1, "hidepid=2": 0}[option] // the second does not even list it
			if s.Processes != 1 || s.Hidden != hidden {
				t.Errorf("%d processes, %d hidden, want 1 and %d", s.Processes, s.Hidden, hidden)
			}
		})
	}
}

func TestFewDescriptors(t *testing.T) {
	full := realReader(t)
	few := realReader(t)
	few.maxDescriptors = 10
	none := realReader(t)
	none.maxDescriptors = 0
	h := startHelper(t, "", nil)
	address := h.do("listen tcp4 127.0.0.1:0")
	for range 3 {
		want := look(t, full, h.pid)
		for name, r := range map[string]*Reader{"few": few, "none": none} {
			got := look(t, r, h.pid)
			if *got.Facts != *want.Facts || got.Identity != want.Identity || !listens(got, TCP, address) {
				t.Errorf("%s: %+v, want %+v", name, got.Facts, want.Facts)
			}
		}
	}
	if few.heldDescriptors > 10 || none.heldDescriptors != 0 {
		t.Errorf("%d and %d descriptors held", few.heldDescriptors, none.heldDescriptors)
	}
	other := copyTo(t, filepath.Join(t.TempDir(), "other"), 0o755)
	h.do("exec " + other)
	if p := look(t, none, h.pid); p.Name != "other" {
		t.Errorf("after exec: %q", p.Name)
	}
	h.end()
	if p := find(take(t, none), h.pid); p != nil {
		t.Errorf("ended, but %+v", p)
	}
}

// TestDescriptorLimit lets the table of descriptors run full for real.
func TestDescriptorLimit(t *testing.T) {
	h := startHelper(t, "", nil)
	before := take(t, realReader(t))
	var s summary
	if err := json.Unmarshal([]byte(h.do("limited")), &s); err != nil {
		t.Fatal(err)
	}
	if least := stayed(before, take(t, realReader(t))); s.Processes < least {
		t.Errorf("%d processes, want at least %d", s.Processes, least)
	}
}

// stayed counts the processes that are in both of two snapshots, and so in each
// that was taken between them.
func stayed(before, after *Snapshot) int {
	n := 0
	for i := range before.Processes {
		if p := find(after, before.Processes[i].PID); p != nil && p.Identity == before.Processes[i].Identity {
			n++
		}
	}
	return n
}

// TestChurn takes many snapshots while processes come and go.
func TestChurn(t *testing.T) {
	r := realReader(t)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
			if err != nil {
				continue
			}
			_, _ = p.Wait()
		}
	}()
	take(t, r)
	goroutines := runtime.NumGoroutine()
	for range 200 {
		s := take(t, r)
		for i := 1; i < len(s.Processes); i++ {
			if s.Processes[i-1].PID >= s.Processes[i].PID {
				t.Fatalf("pids %d, %d", s.Processes[i-1].PID, s.Processes[i].PID)
			}
		}
		for i := range s.Processes {
			if s.Processes[i].Facts == nil || s.Processes[i].Name == "" && !s.Processes[i].State.ended() {
				t.Fatalf("%+v", s.Processes[i])
			}
		}
	}
	close(stop)
	<-done
	take(t, r)
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, were %d", n, goroutines)
	}
	if n := countHeld(r); n != r.heldDescriptors || n > 4*len(r.processes) {
		t.Errorf("%d descriptors held for %d processes, thought to be %d", n, len(r.processes), r.heldDescriptors)
	}
}

// countHeld counts the descriptors of processes that a reader keeps.
func countHeld(r *Reader) int {
	n := 0
	for _, t := range r.processes {
		for _, fd := range [...]int{t.stat, t.dir, t.fds, t.thread} {
			if fd >= 0 {
				n++
			}
		}
	}
	return n
}

func TestCloseLeavesNothingOpen(t *testing.T) {
	before := ownDescriptors(t)
	for range 3 {
		r, err := NewReader(realConfig)
		if err != nil {
			t.Fatal(err)
		}
		take(t, r)
		if r.heldDescriptors == 0 {
			t.Error("nothing held")
		}
		r.Close()
		if r.heldDescriptors != 0 {
			t.Errorf("%d still held", r.heldDescriptors)
		}
	}
	if after := ownDescriptors(t); after != before {
		t.Errorf("%d descriptors, were %d", after, before)
	}
}
