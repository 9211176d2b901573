package process

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"server-monitor/internal/process/proctest"
)

var realConfig = Config{Proc: "/proc", Root: "/"}

func openHandle(t *testing.T, pid int) *Handle {
	t.Helper()
	h, err := Open(realConfig, pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func liveFacts(t *testing.T, h *Handle) Live {
	t.Helper()
	live, err := h.Facts()
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func TestCanHandle(t *testing.T) {
	if err := CanHandle(realConfig); err != nil {
		t.Errorf("CanHandle on this machine: %v", err)
	}
	f := proctest.Small().Write(t)
	if err := CanHandle(Config{Proc: f.Proc, Root: f.Root}); !errors.Is(err, ErrForeignProc) {
		t.Errorf("CanHandle on a fixture: %v, want %v", err, ErrForeignProc)
	}
	if _, err := Open(Config{Proc: f.Proc, Root: f.Root}, 902); !errors.Is(err, ErrForeignProc) {
		t.Errorf("Open on a fixture: %v, want %v", err, ErrForeignProc)
	}
	if err := CanHandle(Config{Proc: t.TempDir()}); err == nil {
		t.Error("CanHandle on an empty folder succeeds")
	}
}

func TestHandleFacts(t *testing.T) {
	p := startHelper(t, "", &syscall.SysProcAttr{Setsid: true})
	h := openHandle(t, p.pid)
	live := liveFacts(t, h)
	if live.PID != p.pid || live.StartTicks == 0 || len(live.Boot) != 8 {
		t.Errorf("identity %v", live.Identity)
	}
	if live.Exe != testBinary(t) || live.PPID != os.Getpid() || live.Kernel || live.Exited || live.State.ended() {
		t.Errorf("facts %+v", live.Process)
	}
	uid := os.Getuid()
	if want := (UIDs{uid, uid, uid, uid}); live.UIDs != want || live.UID != uid {
		t.Errorf("uids %v and %d, want %v", live.UIDs, live.UID, want)
	}
	if !live.SessionLeader || live.Session != p.pid {
		t.Errorf("session %d, leader %v", live.Session, live.SessionLeader)
	}
	if !slices.Equal(live.PIDs, []int{p.pid}) {
		t.Errorf("pids %v", live.PIDs)
	}
	if want, ok := auditNumberOf(t, "loginuid"); ok && live.LoginUID != want {
		t.Errorf("login uid %d, want %d", live.LoginUID, want)
	}
	if want, ok := auditNumberOf(t, "sessionid"); ok && live.AuditSession != want {
		t.Errorf("audit session %d, want %d", live.AuditSession, want)
	}
	if live.Namespaces != h.Host() && os.Getpid() != 1 {
		t.Logf("namespaces %+v, host %+v", live.Namespaces, h.Host())
	}
	if live.Cgroup == "" {
		t.Error("no control group")
	}
}

func auditNumberOf(t *testing.T, name string) (int, bool) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/" + name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	if n == 1<<32-1 {
		return -1, true
	}
	return int(n), true
}

func TestHandleSeesChanges(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("changes the user")
	}
	p := startHelper(t, "", nil)
	h := openHandle(t, p.pid)
	first := liveFacts(t, h)
	p.do("seteuid 65534")
	second := liveFacts(t, h)
	if want := (UIDs{0, 65534, 0, 65534}); second.UIDs != want || second.UID != 65534 {
		t.Errorf("uids %v and %d, want %v", second.UIDs, second.UID, want)
	}
	p.do("seteuid 0")
	other := copyTo(t, t.TempDir()+"/another", 0o755)
	p.do("exec " + other)
	third := liveFacts(t, h)
	if third.Exe != other || third.Name != "another" || third.Comm != "another" {
		t.Errorf("after exec: %+v", third.Process)
	}
	if third.Identity != first.Identity {
		t.Errorf("identity %v, was %v", third.Identity, first.Identity)
	}
	p.do("rename kworker/0:1")
	if fourth := liveFacts(t, h); fourth.Comm != "kworker/0:1" || fourth.Name != "another" {
		t.Errorf("after rename: comm %q, name %q", fourth.Comm, fourth.Name)
	}
}

func TestHandleSignalsAndWaits(t *testing.T) {
	p := startHelper(t, "", nil)
	h := openHandle(t, p.pid)
	p.do("ignore")
	if err := h.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Wait for who does not obey: %v", err)
	}
	if err := h.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	// It is a zombie now: gone for all but its parent.
	if live := liveFacts(t, h); !live.Exited || live.State != Zombie {
		t.Errorf("exited %v, state %c", live.Exited, live.State)
	}
	p.end()
	if err := h.Signal(syscall.SIGTERM); !errors.Is(err, ErrGone) {
		t.Errorf("Signal to who is gone: %v", err)
	}
	if _, err := h.Facts(); !errors.Is(err, ErrGone) {
		t.Errorf("Facts of who is gone: %v", err)
	}
	if err := h.Wait(t.Context()); err != nil {
		t.Errorf("Wait for who is gone: %v", err)
	}
	if _, err := Open(realConfig, p.pid); !errors.Is(err, ErrGone) {
		t.Errorf("Open of who is gone: %v", err)
	}
}

func TestWaitIsCancelled(t *testing.T) {
	p := startHelper(t, "", nil)
	h := openHandle(t, p.pid)
	cause := errors.New("the operator changed their mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	if err := h.Wait(ctx); !errors.Is(err, cause) {
		t.Errorf("Wait: %v, want %v", err, cause)
	}
	if err := h.Wait(ctx); !errors.Is(err, cause) {
		t.Errorf("Wait with a context that has ended: %v, want %v", err, cause)
	}
}

func TestOpenTellsThreads(t *testing.T) {
	p := startHelper(t, "", nil)
	h := openHandle(t, p.pid)
	var threads []int
	eventually(t, "a second thread", func() bool {
		var err error
		if threads, err = h.reader.threads(h.process); err != nil {
			t.Fatal(err)
		}
		return len(threads) > 1
	})
	for _, thread := range threads {
		other, err := Open(realConfig, thread)
		if thread == p.pid {
			if err != nil {
				t.Errorf("Open of the leader: %v", err)
			} else {
				other.Close()
			}
			continue
		}
		if !errors.Is(err, ErrNotLeader) {
			t.Errorf("Open of thread %d: %v, want %v", thread, err, ErrNotLeader)
		}
	}
}

func TestOpenOfNobody(t *testing.T) {
	for _, pid := range []int{0, -1, 1 << 30} {
		if _, err := Open(realConfig, pid); !errors.Is(err, ErrGone) {
			t.Errorf("Open(%d): %v, want %v", pid, err, ErrGone)
		}
	}
}

func TestHandleChildren(t *testing.T) {
	p := startHelper(t, "", nil)
	p.do("listen tcp4 127.0.0.1:0")
	child, err := strconv.Atoi(p.do("child"))
	if err != nil {
		t.Fatal(err)
	}
	children, err := openHandle(t, p.pid).Children()
	if err != nil || !slices.Equal(children, []int{child}) {
		t.Errorf("children %v, %v, want %d", children, err, child)
	}
}

func TestHandleLeavesNothingOpen(t *testing.T) {
	p := startHelper(t, "", nil)
	before := ownDescriptors(t)
	for range 100 {
		h, err := Open(realConfig, p.pid)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Facts(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_ = h.Wait(ctx)
		cancel()
		h.Close()
		h.Close()
		if _, err := Open(realConfig, 1<<30); err == nil {
			t.Fatal("opened nobody")
		}
	}
	if after := ownDescriptors(t); after != before {
		t.Errorf("%d descriptors, were %d", after, before)
	}
}

func ownDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestHandleOfForeignNamespace runs a helper in a pid namespace of its own
// with our procfs, which is not its own.
func TestHandleOfForeignNamespace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("makes a pid namespace")
	}
	p := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID})
	if answer := p.do("handle"); answer != "foreign" {
		t.Errorf("CanHandle in another pid namespace: %s", answer)
	}
	live := liveFacts(t, openHandle(t, p.pid))
	if !slices.Equal(live.PIDs, []int{p.pid, 1}) {
		t.Errorf("pids %v, want %d and 1", live.PIDs, p.pid)
	}
}

func TestLiveAgrees(t *testing.T) {
	facts := Facts{Slice: "system.slice", Unit: "a.service"}
	cases := []struct {
		cgroup string
		state  State
		denied Denied
		want   bool
	}{
		{"/system.slice/a.service", Sleeping, 0, true},
		{"/system.slice/a.service/deeper", Sleeping, 0, true},
		{"/system.slice/b.service", Sleeping, 0, false},
		{"/user.slice/user-1000.slice/session-1.scope", Sleeping, 0, false},
		{"", Sleeping, 0, false},
		{"", Sleeping, DeniedCgroup, true},
		{"/", Zombie, 0, true},
	}
	for _, c := range cases {
		live := Live{Process: Process{Facts: &facts, State: c.state, Denied: c.denied}, Cgroup: c.cgroup}
		if got := live.agrees(); got != c.want {
			t.Errorf("%q, state %c, denied %v: %v", c.cgroup, c.state, c.denied, got)
		}
	}
}
