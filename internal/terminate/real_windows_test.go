package terminate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// realTerminator ends real processes, by policy that knows nothing.
func realTerminator(t *testing.T, edit func(c *Config)) (*Terminator, *auditLog) {
	t.Helper()
	audit := &auditLog{}
	config := Config{Policy: fresh(), Audit: audit, Grace: 10 * time.Second}
	if edit != nil {
		edit(&config)
	}
	terminator := New(config)
	t.Cleanup(func() { _ = terminator.Stop(t.Context()) })
	if o := terminator.Obstacle(); o != nil {
		t.Fatalf("%+v", o)
	}
	return terminator, audit
}

// identityOfReal is what a list hands out for a process.
func identityOfReal(t *testing.T, pid int) process.Identity {
	t.Helper()
	r, err := process.NewReader(process.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Processes {
		if s.Processes[i].PID == pid {
			return s.Processes[i].Identity
		}
	}
	t.Fatalf("%d is not in the snapshot", pid)
	return process.Identity{}
}

func TestEndRealProcess(t *testing.T) {
	for order, want := range map[string]struct {
		outcome  Outcome
		method   Method
		graceful bool
		sent     []string
	}{
		"wait":   {Killed, Hard, false, []string{"TerminateProcess"}},
		"window": {Terminated, Soft, true, []string{"WM_CLOSE"}},
	} {
		t.Run(order, func(t *testing.T) {
			cmd := startHelper(t, order)
			terminator, audit := realTerminator(t, nil)
			r := terminator.Terminate(t.Context(), Request{Identity: identityOfReal(t, cmd.Process.Pid).String()})
			if r.Outcome != want.outcome || r.Method != want.method || r.Graceful == nil || *r.Graceful != want.graceful || !slices.Equal(r.Sent, want.sent) {
				t.Fatalf("%+v", r)
			}
			if r.Subject.SID == "" || r.Subject.Exe == "" || r.Weaker || len(audit.stages()) < 2 {
				t.Errorf("%+v, audited %v", r.Subject, audit.stages())
			}
			if err := cmd.Wait(); (err == nil) != want.graceful {
				t.Errorf("the process itself: %v", err)
			}
			t.Logf("%s after %.3f s", r.Outcome, r.TotalSeconds)
		})
	}
}

// A window that does not close is waited for, and the process then ended.
func TestEndDeafProcess(t *testing.T) {
	cmd := startHelper(t, "deaf")
	terminator, audit := realTerminator(t, func(c *Config) { c.Grace = 500 * time.Millisecond })
	r := terminator.Terminate(t.Context(), Request{Identity: identityOfReal(t, cmd.Process.Pid).String()})
	if r.Outcome != Killed || !slices.Equal(r.Sent, []string{"WM_CLOSE", "TerminateProcess"}) || r.Graceful == nil || !*r.Graceful || r.SoftSeconds < 0.5 {
		t.Errorf("%+v", r)
	}
	if got := audit.stages(); !slices.Equal(got, []string{"decision/accepted", "escalation/accepted", "outcome/killed"}) {
		t.Errorf("audited %v", got)
	}
}

// TestWrongIdentity asks for the process of another time: as after a reuse of
// the pid, nobody is hit.
func TestWrongIdentity(t *testing.T) {
	cmd := startHelper(t, "wait")
	terminator, _ := realTerminator(t, nil)
	identity := identityOfReal(t, cmd.Process.Pid)
	for name, change := range map[string]func(i *process.Identity){
		"made earlier":    func(i *process.Identity) { i.StartTicks-- },
		"made much later": func(i *process.Identity) { i.StartTicks += 1e9 },
		"of another boot": func(i *process.Identity) { i.Boot = "ffffffff" },
	} {
		wrong := identity
		change(&wrong)
		r := terminator.Terminate(t.Context(), Request{Identity: wrong.String()})
		if r.Outcome != Refused || !slices.Equal(Codes(r.Reasons), []Code{CodeIdentityMismatch}) || len(r.Sent) != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if !process.Alive(identity) {
		t.Error("the process was hit")
	}
}

// TestReuse ends a process while many others come and go: those that might get
// its pid are never hit, and a second request finds nothing.
func TestReuse(t *testing.T) {
	terminator, _ := realTerminator(t, nil)
	for range 5 {
		cmd := startHelper(t, "wait")
		identity := identityOfReal(t, cmd.Process.Pid)
		if r := terminator.Terminate(t.Context(), Request{Identity: identity.String()}); r.Outcome != Killed {
			t.Fatalf("%+v", r)
		}
		_ = cmd.Wait()
		next := startHelper(t, "wait")
		r := terminator.Terminate(t.Context(), Request{Identity: identity.String()})
		gone := r.Outcome == AlreadyExited || r.Outcome == Refused && slices.Contains(Codes(r.Reasons), CodeIdentityMismatch) ||
			slices.Contains(Codes(r.Reasons), GuardZombie)
		if !gone || len(r.Sent) != 0 {
			t.Errorf("a second time: %+v", r)
		}
		if !process.Alive(identityOfReal(t, next.Process.Pid)) {
			t.Errorf("%d was hit for %d", next.Process.Pid, identity.PID)
		}
	}
}

func TestRealGuards(t *testing.T) {
	terminator, _ := realTerminator(t, nil)
	refused := func(pid int, want Code) {
		t.Helper()
		r := terminator.Terminate(t.Context(), Request{Identity: identityOfReal(t, pid).String()})
		if r.Outcome != Refused || !slices.Contains(Codes(r.Reasons), want) || len(r.Sent) != 0 {
			t.Errorf("%d: %+v, want %s", pid, r, want)
		}
	}
	refused(os.Getpid(), GuardSelf)
	child := startHelper(t, "wait")
	h := ReadHost(process.Config{})
	if h.Self != os.Getpid() || h.Boot == "" || !h.Windows || slices.Contains(h.Ancestors, child.Process.Pid) {
		t.Errorf("%+v", h)
	}
	services := 0
	for pid, unit := range hosts(t) {
		services++
		refused(pid, GuardHostsService)
		t.Logf("%d hosts %s", pid, unit)
	}
	if services == 0 {
		t.Error("no process hosts a service")
	}
}

// hosts are the processes that host services.
func hosts(t *testing.T) map[int]string {
	t.Helper()
	r, err := process.NewReader(process.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[int]string)
	for i := range s.Processes {
		if unit := s.Processes[i].Unit; unit != "" {
			found[s.Processes[i].PID] = unit
		}
	}
	return found
}

// TestRealPolicy asks policy by the name of the executable, whatever its case.
func TestRealPolicy(t *testing.T) {
	cmd := startHelper(t, "wait")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ToLower(filepath.Base(program))
	document := policy.Document{Name: name, Platform: policy.Windows, Category: "test", Description: "test", Policy: policy.Policy{Reason: "kept"}}
	kept := &fakePolicy{answers: []policyAnswer{{policy.NewSet(policy.Windows, document), policy.Fresh}}}
	terminator, _ := realTerminator(t, func(c *Config) { c.Policy = kept })
	r := terminator.Terminate(t.Context(), Request{Identity: identityOfReal(t, cmd.Process.Pid).String()})
	if r.Outcome != Refused || !slices.Equal(Codes(r.Reasons), []Code{CodePolicyDenied}) {
		t.Errorf("%+v", r)
	}
}

func TestNothingThere(t *testing.T) {
	cmd := startHelper(t, "wait")
	terminator, _ := realTerminator(t, nil)
	identity := identityOfReal(t, cmd.Process.Pid)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for range 100 {
		r := terminator.Terminate(t.Context(), Request{Identity: identity.String()})
		if r.Outcome == AlreadyExited {
			break
		}
		if !slices.Equal(Codes(r.Reasons), []Code{GuardZombie}) {
			t.Fatalf("%+v", r)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if r := terminator.Terminate(t.Context(), Request{PID: 1 << 20, Name: "x.exe"}); !slices.Equal(Codes(r.Reasons), []Code{CodeNotFound}) {
		t.Errorf("%+v", r)
	}
}
