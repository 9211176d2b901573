package terminate

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"server-monitor/internal/process"
)

var realProc = process.Config{Proc: "/proc", Root: "/"}

// realHost is this machine, with systemd or as if: where the logins are in
// cgroups, a test makes its own.
func realHost() *Host {
	h := ReadHost(realProc)
	h.Systemd = true
	return h
}

// newRealTerminator ends processes of this machine.
func newRealTerminator(t *testing.T, edit func(c *Config)) (*Terminator, *auditLog) {
	t.Helper()
	audit := &auditLog{}
	config := Config{
		Process: realProc, Policy: fresh(), Audit: audit, Host: realHost,
		Grace: 200 * time.Millisecond, KillWait: time.Second,
	}
	if edit != nil {
		edit(&config)
	}
	terminator := New(config)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := terminator.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return terminator, audit
}

// patient leaves a process that obeys all the time that it needs on a machine
// that is busy.
func patient(c *Config) { c.Grace = 20 * time.Second }

// identity is what a list hands out for a victim.
func (v *victim) identity() string {
	v.t.Helper()
	s, err := readStat("/proc", v.pid)
	if err != nil {
		v.t.Fatal(err)
	}
	return process.Identity{PID: v.pid, StartTicks: s.start, Boot: bootOf("/proc")}.String()
}

// living tells whether the victim runs.
func (v *victim) living() bool {
	s, err := readStat("/proc", v.pid)
	return err == nil && s.state != process.Zombie && s.state != process.Dead
}

// request is an operator's for a victim.
func (v *victim) request() Request {
	v.t.Helper()
	return Request{Identity: v.identity(), Actor: Actor{Name: "test", Role: "operator", From: "127.0.0.1"}}
}

func TestRealProcesses(t *testing.T) {
	needRoot(t)
	binary := mustExecutable(t)
	for _, test := range []struct {
		name      string
		behaviour string
		options   []option
		prepare   func(t *testing.T, v *victim)
		needs     string
		want      Outcome
		codes     []Code
	}{
		{name: "obeys", behaviour: "obey", want: Terminated},
		{name: "ignores SIGTERM", behaviour: "ignore", want: Killed},
		{name: "lingers for less than the grace period", behaviour: "linger 50ms", want: Terminated},
		{name: "lingers for longer", behaviour: "linger 1h", want: Killed},
		{name: "stopped", behaviour: "obey", prepare: stopIt, want: Terminated},
		{name: "stopped, and ignores SIGTERM", behaviour: "ignore", prepare: stopIt, want: Killed},
		{name: "its first thread has ended", behaviour: "leaderless", want: Terminated},
		{name: "in a folder called system.slice below its own", behaviour: "obey", prepare: func(_ *testing.T, v *victim) {
			v.moveTo(sessionFolder(testUID) + "/system.slice/sshd.service")
		}, want: Terminated},
		{name: "in the systemd of its user", behaviour: "obey", prepare: func(_ *testing.T, v *victim) {
			v.moveTo("user.slice/user-54321.slice/user@54321.service/app.slice/app.scope")
		}, want: Terminated},
		{name: "a service of the systemd of its user", behaviour: "obey", options: []option{leader}, prepare: func(_ *testing.T, v *victim) {
			v.moveTo("user.slice/user-54321.slice/user@54321.service/app.slice/app.service")
		}, want: Terminated},
		{name: "a zombie", behaviour: "obey", prepare: func(t *testing.T, v *victim) {
			_ = unix.Kill(v.pid, unix.SIGKILL)
			// All threads have to end, not only the first.
			if err := unix.Waitid(unix.P_PID, v.pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
				t.Fatal(err)
			}
		}, want: Refused, codes: []Code{GuardZombie}},
		{name: "of root", behaviour: "obey", options: []option{as(0)}, want: Refused, codes: []Code{GuardUID0, GuardOthersSession}},
		{name: "of a service account", behaviour: "obey", options: []option{as(1)}, want: Refused, codes: []Code{GuardServiceAccount, GuardOthersSession}},
		{name: "of another user than the session's", behaviour: "obey", options: []option{as(54322)}, want: Refused, codes: []Code{GuardOthersSession}},
		{name: "set-uid of another user", behaviour: "obey", options: []option{program(setUID(t, binary))},
			want: Refused, codes: []Code{GuardUID0, GuardOthersSession}},
		{name: "in a service of the system", behaviour: "obey", prepare: func(_ *testing.T, v *victim) {
			v.moveTo("system.slice/smtest.service")
		}, want: Refused, codes: []Code{GuardSystemSlice}},
		{name: "in no session", behaviour: "obey", prepare: func(_ *testing.T, v *victim) {
			v.moveTo("smtest.slice/smtest.service")
		}, want: Refused, codes: []Code{GuardNoSession}},
		{name: "systemd of a user", behaviour: "obey", prepare: func(_ *testing.T, v *victim) {
			v.moveTo("user.slice/user-54321.slice/user@54321.service/init.scope")
		}, want: Refused, codes: []Code{GuardSystemdUser}},
		{name: "leads a session", behaviour: "obey", options: []option{leader}, want: Refused, codes: []Code{GuardSessionLeader}},
		{name: "in another mount namespace", behaviour: "obey", options: []option{in(unix.CLONE_NEWNS)}, want: Refused, codes: []Code{GuardForeignMount}},
		{name: "in another pid namespace", behaviour: "obey", options: []option{in(unix.CLONE_NEWPID)}, want: Refused, codes: []Code{GuardForeignPID}},
		{name: "a program of systemd", options: []option{program("/usr/lib/systemd/systemd-networkd-wait-online", "x", "--timeout=60")},
			needs: "/usr/lib/systemd/systemd-networkd-wait-online", want: Refused, codes: []Code{GuardSystemdProgram}},
		{name: "D-Bus", options: []option{program("/usr/bin/dbus-daemon", "dbus-daemon", "--nofork", "--config-file="+pipe(t))},
			needs: "/usr/bin/dbus-daemon", want: Refused, codes: []Code{GuardDBus}},
		{name: "becomes root on SIGTERM", behaviour: "setuid", options: []option{capable(unix.CAP_SETUID)},
			want: Refused, codes: []Code{GuardUID0, GuardOthersSession}},
		{name: "runs a set-uid program on SIGTERM", behaviour: "exec " + setUID(t, binary),
			want: Refused, codes: []Code{GuardUID0, GuardOthersSession}},
		{name: "runs another program on SIGTERM", behaviour: "exec " + copyOf(t, binary, "another", 0o755),
			want: Refused, codes: []Code{CodeChanged}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := os.Stat(test.needs); test.needs != "" && err != nil {
				t.Skip(err)
			}
			v := start(t, test.behaviour, test.options...)
			if test.prepare != nil {
				test.prepare(t, v)
			}
			edit := patient
			if test.want == Killed {
				edit = nil
			} else if test.want == Refused {
				edit = func(c *Config) { c.Grace = time.Second }
			}
			terminator, audit := newRealTerminator(t, edit)
			before := time.Now()
			r := terminator.Terminate(t.Context(), v.request())
			if r.Outcome != test.want || !slices.Equal(Codes(r.Reasons), test.codes) {
				t.Errorf("%s %v, want %s %v: %+v", r.Outcome, r.Reasons, test.want, test.codes, r.Subject)
			}
			if ended := test.want == Terminated || test.want == Killed; test.name != "a zombie" && ended == v.living() {
				t.Errorf("outcome %s, living %v", r.Outcome, v.living())
			}
			t.Logf("%s %s after %v, audited %v", r.Outcome, r.Method, time.Since(before).Round(10*time.Microsecond), audit.stages())
		})
	}
}

func stopIt(t *testing.T, v *victim) {
	t.Helper()
	if err := unix.Kill(v.pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its stop", func() bool {
		s, err := readStat("/proc", v.pid)
		return err == nil && s.state == process.Stopped
	})
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 seconds", what)
		}
	}
}

func mustExecutable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// copyOf copies a program to a folder that all may enter.
func copyOf(t *testing.T, path, name string, mode os.FileMode) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "terminate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	other := folder + "/" + name
	if err := os.WriteFile(other, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{folder: 0o755, other: mode} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	return other
}

// pipe makes a named pipe: whoever opens it to read waits there.
func pipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(copyOf(t, "/dev/null", "x", 0o644)), "pipe")
	if err := unix.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// setUID copies a program to one that runs as root.
func setUID(t *testing.T, path string) string {
	t.Helper()
	return copyOf(t, path, "set-uid", 0o755|os.ModeSetuid)
}
