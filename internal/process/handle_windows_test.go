package process

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// openHandle takes hold of a process until the test ends.
func openHandle(t *testing.T, pid int) *Handle {
	t.Helper()
	h, err := Open(Config{}, pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// TestHandleAgreesWithSnapshot compares the two ways to look at a process.
func TestHandleAgreesWithSnapshot(t *testing.T) {
	h := startHelper(t, "", "wait")
	p := find(take(t, newReader(t)), h.Process.Pid)
	live, err := openHandle(t, h.Process.Pid).Facts()
	if err != nil || p == nil {
		t.Fatal(p, err)
	}
	if live.Identity != p.Identity || !sameFacts(live.Facts, p.Facts) || live.PPID != os.Getpid() || live.Exited || live.Denied != p.Denied || !live.StartTime.Equal(p.StartTime) {
		t.Errorf("%+v %+v %+v\nwant %+v %+v %+v", live.Process, live.Facts, live.Windows, *p, p.Facts, p.Windows)
	}
}

func TestTerminateThroughHandle(t *testing.T) {
	child := startHelper(t, "", "wait")
	h := openHandle(t, child.Process.Pid)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("still runs: %v", err)
	}
	if !Alive(h.Identity()) {
		t.Error("not alive")
	}
	if err := h.Terminate(); err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); child.ProcessState.ExitCode() != exitCode {
		t.Errorf("exit code %d, %v", child.ProcessState.ExitCode(), err)
	}
	if Alive(h.Identity()) {
		t.Error("still alive")
	}
	if err := h.Terminate(); !errors.Is(err, ErrGone) {
		t.Errorf("a second time: %v", err)
	}
	live, err := h.Facts()
	if err != nil || !live.Exited || live.State != Zombie {
		t.Errorf("%v %+v", err, live.Process)
	}
	ended, cancelled := context.WithCancel(t.Context())
	cancelled()
	if err := h.Wait(ended); err != nil {
		t.Errorf("ended, and the context too: %v", err)
	}
}

// TestHandleReservesPID keeps a pid from being used again while it is held:
// whatever processes come and go, none gets it.
func TestHandleReservesPID(t *testing.T) {
	child := startHelper(t, "", "wait")
	h := openHandle(t, child.Process.Pid)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	for range 20 {
		other := startHelper(t, "", "wait")
		if other.Process.Pid == h.pid {
			t.Fatalf("pid %d was used again while it is held", h.pid)
		}
		_ = other.Process.Kill()
		_ = other.Wait()
	}
	if live, err := h.Facts(); err != nil || !live.Exited {
		t.Errorf("%v %+v", err, live.Process)
	}
}

func TestOpenNothing(t *testing.T) {
	child := startHelper(t, "", "wait")
	pid := child.Process.Pid
	for _, wrong := range []int{0, -1, pid + 1, pid + 2, pid + 3, 1 << 30} {
		if h, err := Open(Config{}, wrong); !errors.Is(err, ErrGone) {
			t.Errorf("%d: %v, %v", wrong, h, err)
		}
	}
	other := Identity{PID: pid, StartTicks: 1, Boot: "00000000"}
	if Alive(other) {
		t.Error("another process of the pid is alive")
	}
}

func TestChildren(t *testing.T) {
	child := startHelper(t, "", "wait")
	h := openHandle(t, os.Getpid())
	children, err := h.Children()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range children {
		if c.PID == child.Process.Pid {
			if c.Name == "" || !Alive(c.Identity) {
				t.Errorf("%+v", c)
			}
			return
		}
	}
	t.Errorf("%d is not among %v", child.Process.Pid, children)
}

func TestProcessWithoutWindows(t *testing.T) {
	child := startHelper(t, "", "wait")
	if n, err := openHandle(t, child.Process.Pid).CloseWindows(); n != 0 {
		t.Errorf("asked %d windows, %v", n, err)
	}
}

func TestCloseWindows(t *testing.T) {
	child := startHelper(t, "", "window")
	h := openHandle(t, child.Process.Pid)
	n, err := h.CloseWindows()
	if n != 1 || err != nil {
		t.Fatalf("asked %d windows, %v", n, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := h.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Errorf("it did not end by itself: %v", err)
	}
}
