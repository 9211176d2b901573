package terminate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"server-monitor/internal/process"
)

// sleeper runs sleep(1), a program of one thread that obeys.
func sleeper(t *testing.T, seconds string, options ...option) *victim {
	t.Helper()
	return start(t, "", append([]option{program("/usr/bin/sleep", "sleep", seconds)}, options...)...)
}

// A traced process sees no SIGTERM while its tracer holds it; SIGKILL ends it.
func TestTraced(t *testing.T) {
	v := sleeper(t, "1000")
	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	if err := unix.PtraceAttach(v.pid); err != nil {
		t.Skipf("cannot trace: %v", err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(v.pid, &status, unix.WALL, nil); err != nil || !status.Stopped() {
		t.Fatalf("the victim did not stop: %v %v", status, err)
	}
	terminator, _ := newRealTerminator(t, nil)
	r := terminator.Terminate(t.Context(), v.request())
	if r.Outcome != Killed || v.living() {
		t.Errorf("%s %v", r.Outcome, r.Reasons)
	}
}

// A process that runs one program after the other is ended, or refused because
// it changed: never anything else.
func TestExecLoop(t *testing.T) {
	needRoot(t)
	one := copyOf(t, mustExecutable(t), "one", 0o755)
	two := copyOf(t, mustExecutable(t), "two", 0o755)
	for name, behaviour := range map[string]string{"one program": "execs " + one + " " + one, "two programs": "execs " + one + " " + two} {
		t.Run(name, func(t *testing.T) {
			outcomes := make(map[string]int)
			for range 10 {
				v := start(t, behaviour)
				terminator, _ := newRealTerminator(t, patient)
				r := terminator.Terminate(t.Context(), v.request())
				outcomes[fmt.Sprint(r.Outcome, Codes(r.Reasons))]++
				switch {
				case (r.Outcome == Terminated || r.Outcome == Killed) && !v.living():
				case r.Outcome == Refused && slices.Equal(Codes(r.Reasons), []Code{CodeChanged}) && v.living():
				default:
					t.Errorf("%s %v, living %v", r.Outcome, r.Reasons, v.living())
				}
				v.end()
			}
			t.Log(outcomes)
		})
	}
}

// Processes that end by themselves at just this moment.
func TestVanishing(t *testing.T) {
	terminator, _ := newRealTerminator(t, patient)
	outcomes := make(map[string]int)
	for range 200 {
		v := sleeper(t, strconv.FormatFloat(rand.Float64()/300, 'f', 5, 64))
		stat, err := readStat("/proc", v.pid)
		if err != nil {
			continue
		}
		v.reap()
		id := process.Identity{PID: v.pid, StartTicks: stat.start, Boot: bootOf("/proc")}
		r := terminator.Terminate(t.Context(), Request{Identity: id.String()})
		outcomes[fmt.Sprint(r.Outcome, Codes(r.Reasons))]++
		<-v.reaped
		codes := Codes(r.Reasons)
		switch {
		case r.Outcome == Terminated, r.Outcome == AlreadyExited:
		case r.Outcome == Refused && (slices.Equal(codes, []Code{GuardZombie}) || slices.Equal(codes, []Code{CodeChanged})):
		default:
			t.Errorf("%s %v: %+v", r.Outcome, r.Reasons, r)
		}
	}
	t.Log(outcomes)
}

func TestAlreadyGone(t *testing.T) {
	v := sleeper(t, "1000")
	request := v.request()
	v.end()
	terminator, audit := newRealTerminator(t, nil)
	r := terminator.Terminate(t.Context(), request)
	if r.Outcome != AlreadyExited || !slices.Equal(audit.stages(), []string{"decision/already_exited"}) {
		t.Errorf("%s %v, audited %v", r.Outcome, r.Reasons, audit.stages())
	}
}

// A process in a frozen cgroup of version 1 cannot even be killed: the answer
// says so, and when it thaws the end is noted.
func TestFrozen(t *testing.T) {
	v := sleeper(t, "1000")
	folder := filepath.Join("/sys/fs/cgroup/freezer", fmt.Sprintf("smtest%d", os.Getpid()))
	if err := os.Mkdir(folder, 0o755); err != nil { //nolint:gosec // as the kernel's other folders there
		t.Skipf("no freezer: %v", err)
	}
	t.Cleanup(func() { _ = os.Remove(folder) })
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
	write("cgroup.procs", strconv.Itoa(v.pid))
	write("freezer.state", "FROZEN")
	t.Cleanup(func() { write("freezer.state", "THAWED"); v.end() })
	eventually(t, "the freezing", func() bool {
		text, err := os.ReadFile(filepath.Join(folder, "freezer.state"))
		return err == nil && strings.TrimSpace(string(text)) == "FROZEN"
	})
	terminator, audit := newRealTerminator(t, nil)
	r := terminator.Terminate(t.Context(), v.request())
	if r.Outcome != KillPending || r.Done || !v.living() {
		t.Fatalf("%s %v, done %v, living %v", r.Outcome, r.Reasons, r.Done, v.living())
	}
	again := terminator.Terminate(t.Context(), v.request())
	if !slices.Equal(Codes(again.Reasons), []Code{CodeInProgress}) {
		t.Errorf("another request: %s %v", again.Outcome, again.Reasons)
	}
	write("freezer.state", "THAWED")
	eventually(t, "its end", func() bool {
		last, _ := terminator.Find(r.ID)
		return last.Outcome == Killed && last.Done
	})
	if stages := audit.stages(); stages[len(stages)-1] != "outcome/killed" {
		t.Errorf("audited %v", stages)
	}
}

// Children that stay are named, not ended.
func TestRealChildren(t *testing.T) {
	v := start(t, "parent")
	terminator, _ := newRealTerminator(t, patient)
	r := terminator.Terminate(t.Context(), v.request())
	if r.Outcome != Terminated || len(r.Children) != 1 || r.Children[0].PID != v.told {
		t.Errorf("%s %v, children %+v, want %d", r.Outcome, r.Reasons, r.Children, v.told)
	}
	if s, err := readStat("/proc", v.told); err != nil || s.state == process.Zombie {
		t.Errorf("the child has ended: %v", err)
	}
}

// What a process left behind by its parents is ended like any other.
func TestDaemon(t *testing.T) {
	v := start(t, "daemon")
	orphan := &victim{t: t, pid: v.told}
	eventually(t, "its new parent", func() bool {
		s, err := readStat("/proc", v.told)
		return err == nil && s.parent != v.pid
	})
	v.moveTo(sessionFolder(testUID))
	terminator, _ := newRealTerminator(t, patient)
	r := terminator.Terminate(t.Context(), orphan.request())
	if r.Outcome != Terminated || orphan.living() {
		t.Errorf("%s %v", r.Outcome, r.Reasons)
	}
}

// Those on whom we and the machine depend.
func TestOurOwn(t *testing.T) {
	terminator, _ := newRealTerminator(t, nil)
	for _, test := range []struct {
		name string
		pid  int
		want Code
	}{
		{"ourselves", os.Getpid(), GuardSelf},
		{"our parent", os.Getppid(), GuardAncestor},
		{"the first process", 1, GuardPID1},
		{"the parent of the kernel's threads", 2, GuardKernelThread},
		{"a thread of ours", otherThread(t), CodeNotLeader},
	} {
		r := terminator.Inspect(t.Context(), Request{PID: test.pid})
		if r.Outcome != Refused || !slices.Contains(Codes(r.Reasons), test.want) {
			t.Errorf("%s: %s %v", test.name, r.Outcome, r.Reasons)
		}
	}
}

// otherThread is the id of one of our threads that is not our pid.
func otherThread(t *testing.T) int {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		if id, err := strconv.Atoi(thread.Name()); err == nil && id != os.Getpid() {
			return id
		}
	}
	t.Fatal("we have no second thread")
	return 0
}

// A host without systemd: a terminal or an audit id stands in for the cgroup,
// and the answer says that this is weaker.
func TestWithoutSystemd(t *testing.T) {
	terminator, _ := newRealTerminator(t, func(c *Config) {
		c.Host = func() *Host {
			h := ReadHost(realProc)
			h.Systemd = false
			return h
		}
	})
	neither := sleeper(t, "1000")
	if r := terminator.Terminate(t.Context(), neither.request()); !slices.Equal(Codes(r.Reasons), []Code{GuardNoSession}) || !r.Weaker {
		t.Errorf("neither: %s %v, weaker %v", r.Outcome, r.Reasons, r.Weaker)
	}
	shell := start(t, "parent", terminal(t))
	onTerminal := &victim{t: t, pid: shell.told}
	if r := terminator.Terminate(t.Context(), shell.request()); !slices.Equal(Codes(r.Reasons), []Code{GuardSessionLeader}) {
		t.Errorf("the shell: %s %v", r.Outcome, r.Reasons)
	}
	if r := terminator.Terminate(t.Context(), onTerminal.request()); r.Outcome != Killed || !r.Weaker || r.Subject.TTY == "" {
		t.Errorf("on a terminal: %s %v, weaker %v", r.Outcome, r.Reasons, r.Weaker)
	}
	login := start(t, "loginuid "+strconv.Itoa(testUID))
	if login.told == 0 {
		t.Skip("the kernel keeps no audit id")
	}
	if r := terminator.Terminate(t.Context(), login.request()); r.Outcome != Terminated || !r.Weaker || r.Subject.LoginUID == nil {
		t.Errorf("logged in: %s %v, weaker %v", r.Outcome, r.Reasons, r.Weaker)
	}
}

// terminal gives a victim a terminal of its own, of which it leads the session.
func terminal(t *testing.T) option {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { master.Close() })
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { slave.Close() })
	return func(cmd *exec.Cmd) {
		cmd.Stdin = slave
		cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	}
}

// Many requests for real processes: each is sent one SIGTERM, each request has
// one decision, and no descriptor or goroutine is left.
func TestManyRealRequests(t *testing.T) {
	needRoot(t)
	for _, test := range []struct{ requests, processes int }{{10_000, 1}, {10_000, 1000}, {1000, 50}} {
		if raceDetector {
			test.requests = min(test.requests, 1000)
		}
		if testing.Short() {
			test.requests, test.processes = test.requests/10, max(1, test.processes/10)
		}
		t.Run(fmt.Sprintf("%d requests for %d processes", test.requests, test.processes), func(t *testing.T) {
			var victims []*victim
			var requests []Request
			for range test.processes {
				v := sleeper(t, "1000")
				victims, requests = append(victims, v), append(requests, v.request())
			}
			descriptors, goroutines := countDescriptors(t), runtime.NumGoroutine()
			terminator, audit := newRealTerminator(t, patient)
			results := make([]Result, test.requests)
			var group sync.WaitGroup
			for i := range results {
				group.Go(func() { results[i] = terminator.Terminate(t.Context(), requests[i%len(requests)]) })
			}
			group.Wait()
			terms := 0
			for i := range results {
				terms += strings.Count(strings.Join(results[i].Sent, " "), "SIGTERM")
			}
			if terms != len(victims) {
				t.Errorf("SIGTERM was sent %d times, want %d", terms, len(victims))
			}
			for _, v := range victims {
				if v.living() {
					t.Fatalf("process %d lives", v.pid)
				}
			}
			checkDecisions(t, audit, results)
			eventually(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= goroutines })
			if now := countDescriptors(t); now != descriptors {
				t.Errorf("%d descriptors, were %d", now, descriptors)
			}
		})
	}
}

func countDescriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
