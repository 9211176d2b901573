package terminate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"server-monitor/internal/process"
)

// TestForcedReuse lets the pid of a process pass to another one in the middle
// of its termination: after the last look and before the signal. The right
// answer is that the process is gone, and the other one lives. The controls do
// what most killers do at that moment, and must hit the wrong process: else the
// test would not bite.
//
// It runs in pid and mount namespaces of its own, where ns_last_pid (see
// Documentation/admin-guide/sysctl/kernel.rst) says which pid comes next.
func TestForcedReuse(t *testing.T) {
	rounds, controls := 10000, 1000
	switch {
	case testing.Short():
		rounds, controls = 500, 200
	case raceDetector:
		rounds = 2000
	}
	for _, test := range []struct {
		method string
		rounds int
		atMost int // wrong processes
		some   bool
	}{
		{"SIGTERM through the sequence", rounds / 2, 0, false},
		{"SIGKILL through the sequence", rounds / 2, 0, false},
		{"kill(pid)", controls, controls, true},
		{"pid and start time", controls, controls, true},
	} {
		t.Run(test.method, func(t *testing.T) {
			began := time.Now()
			counts := inNamespaces(t, fmt.Sprintf("reuse %d %s", test.rounds, test.method))
			t.Logf("%s in %v", counts, time.Since(began).Round(time.Millisecond))
			if counts.reused != test.rounds {
				t.Errorf("%d pids were used again, want %d", counts.reused, test.rounds)
			}
			if counts.wrong > test.atMost || test.some && counts.wrong == 0 {
				t.Errorf("%d wrong processes were signalled", counts.wrong)
			}
		})
	}
}

// TestReuseBetweenListAndRequest lets the pid pass to another process after a
// list told the identity of the first, and before that is asked for.
func TestReuseBetweenListAndRequest(t *testing.T) {
	counts := inNamespaces(t, "reuse 30 list")
	t.Log(counts)
	if counts.reused != 30 || counts.wrong != 0 || counts.outcomes != "map[identity-mismatch:30]" {
		t.Errorf("%s", counts)
	}
}

// TestNaturalReuse lets pids come round by themselves, in a namespace with few
// of them (kernel.pid_max is of the namespace since Linux 6.14).
func TestNaturalReuse(t *testing.T) {
	if !kernelHas(t, 6, 14) {
		t.Skip("here the largest pid is that of all namespaces")
	}
	counts := inNamespaces(t, "reuse 30 wrap")
	t.Log(counts)
	if counts.reused != 30 || counts.wrong != 0 {
		t.Errorf("%s", counts)
	}
}

// kernelHas tells whether the kernel is of a release or later.
func kernelHas(t *testing.T, major, minor int) bool {
	t.Helper()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	var a, b int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &a, &b); err != nil {
		t.Fatal(err)
	}
	return a > major || a == major && b >= minor
}

// reuseCounts are what a helper counted.
type reuseCounts struct {
	reused, wrong, retries int
	outcomes               string
}

func (c reuseCounts) String() string {
	return fmt.Sprintf("%d reused pids, %d wrong processes signalled, outcomes %s, %d tries more", c.reused, c.wrong, c.outcomes, c.retries)
}

// inNamespaces runs a helper as the first process of new namespaces, in the
// login session of the victims, and returns what it counted.
func inNamespaces(t *testing.T, behaviour string) reuseCounts {
	t.Helper()
	begin, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	v := startSilent(t, behaviour, in(unix.CLONE_NEWPID|unix.CLONE_NEWNS), func(cmd *exec.Cmd) { cmd.Stdin = begin })
	v.moveTo(sessionFolder(testUID))
	begin.Close()
	hold.Close() // it may begin
	line, err := v.out.ReadString('\n')
	var counts reuseCounts
	if _, bad := fmt.Sscanf(line, "%d %d %d %s", &counts.reused, &counts.wrong, &counts.retries, &counts.outcomes); bad != nil {
		t.Fatalf("the helper says %q, %v", line, err)
	}
	return counts
}

// reuser is the helper: it has one process at a time, and lets the pid of that
// pass to the next.
type reuser struct {
	terminator *Terminator
	next       func(pid int) error // sees to it that the next process has the pid
	pid        int
	counts     reuseCounts
	outcomes   map[string]int
}

// reusePIDs is the helper's main function.
func reusePIDs(argument string) {
	rounds, method, _ := strings.Cut(argument, " ")
	n, err := strconv.Atoi(rounds)
	report(err)
	_, _ = io.ReadAll(os.Stdin) // until we are in the session
	report(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	report(unix.Mount("proc", "/proc", "proc", 0, ""))
	r := &reuser{next: nextPID, outcomes: make(map[string]int)}
	if method == "wrap" {
		report(lowerMaximum())
		r.next = func(int) error { return nil }
	}
	round := r.sequence(Term)
	switch method {
	case "kill(pid)":
		round = r.barePID
	case "pid and start time":
		round = r.startTime
	case "list":
		round = r.listed
	case "SIGKILL through the sequence":
		signal.Ignore(unix.SIGTERM) // the victims inherit that
		round = r.sequence(Kill)
	}
	r.pid = spawnSleep()
	for method == "wrap" && r.pid < reservedPIDs {
		r.pid = r.replace(spawnSleep)
	}
	for r.counts.reused < n {
		round()
	}
	r.end()
	fmt.Println(r.counts.reused, r.counts.wrong, r.counts.retries, strings.ReplaceAll(fmt.Sprint(r.outcomes), " ", ","))
}

// nextPID tells the kernel which pid comes next in this namespace.
func nextPID(pid int) error {
	return os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0)
}

// reservedPIDs are given only once: when pids come round they begin here
// (RESERVED_PIDS, linux/include/linux/pid.h).
const reservedPIDs = 300

// lowerMaximum leaves few pids to this namespace.
func lowerMaximum() error {
	return os.WriteFile("/proc/sys/kernel/pid_max", []byte(strconv.Itoa(reservedPIDs+60)), 0)
}

// spawnSleep starts a process that a person owns.
func spawnSleep() int {
	pid, err := syscall.ForkExec("/usr/bin/sleep", []string{"sleep", "1000"}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: testUID, Gid: testUID}},
	})
	report(err)
	return pid
}

// end ends the present process by SIGUSR1 and counts whether another signal came
// first: of two that end a process the kernel notes the first (complete_signal
// in linux/kernel/signal.c).
func (r *reuser) end() {
	var status unix.WaitStatus
	_ = unix.Kill(r.pid, unix.SIGUSR1)
	for {
		_, err := unix.Wait4(r.pid, &status, 0, nil)
		if !errors.Is(err, unix.EINTR) {
			report(err)
			break
		}
	}
	if status.Signal() != unix.SIGUSR1 {
		r.counts.wrong++
	}
}

// replace ends the present process and starts another.
func (r *reuser) replace(spawn func() int) int {
	r.end()
	return spawn()
}

// reuse lets the pid of the present process pass to another, and tells whether
// it could: one of our own threads may have got it.
func (r *reuser) reuse() bool {
	pid := r.pid
	r.end()
	for range 2 * reservedPIDs {
		report(r.next(pid))
		if r.pid = spawnSleep(); r.pid == pid {
			r.counts.reused++
			return true
		}
		r.counts.retries++
		r.end()
	}
	r.pid = spawnSleep()
	return false
}

// sequence ends the process as server-monitor does; just before the signal its
// pid passes to another one.
func (r *reuser) sequence(moment Signal) func() {
	if err := process.CanHandle(realProc); err != nil {
		report(err)
	}
	targets := &hookedTargets{Targets: newTargets(realProc), before: func(signal Signal) {
		if signal == moment {
			r.reuse()
		}
	}}
	r.terminator = New(Config{
		Process: realProc, Policy: fresh(), Audit: &RecentEvents{}, Host: realHost, Targets: targets,
		Grace: time.Millisecond, KillWait: time.Second,
	})
	return func() {
		result := r.terminator.Terminate(context.Background(), Request{Identity: r.identity()})
		r.outcomes[string(result.Outcome)]++
		// A process that has just been started may still be executing its
		// program: it is asked again.
		if result.Outcome == Refused && !slices.Equal(Codes(result.Reasons), []Code{CodeChanged}) {
			report(fmt.Errorf("refused: %v", result.Reasons))
		}
	}
}

// identity is what a list hands out for the present process.
func (r *reuser) identity() string {
	s, err := readStat("/proc", r.pid)
	report(err)
	return process.Identity{PID: r.pid, StartTicks: s.start, Boot: bootOf("/proc")}.String()
}

// listed asks for an identity whose pid has passed to another process since, one
// that started a tick later at least.
func (r *reuser) listed() {
	identity := r.identity()
	time.Sleep(20 * time.Millisecond)
	if r.reuse() {
		result := r.terminator.Terminate(context.Background(), Request{Identity: identity})
		for _, code := range Codes(result.Reasons) {
			r.outcomes[string(code)]++
		}
	}
}

// barePID does what most killers do: it remembers a pid, and signals it.
func (r *reuser) barePID() {
	pid := r.pid
	if r.reuse() {
		_ = unix.Kill(pid, unix.SIGTERM)
	}
}

// startTime looks whether the process still has the start time that it had.
func (r *reuser) startTime() {
	pid := r.pid
	before, err := readStat("/proc", pid)
	report(err)
	if !r.reuse() {
		return
	}
	now, err := readStat("/proc", pid)
	report(err)
	if now.start == before.start {
		_ = unix.Kill(pid, unix.SIGTERM)
	}
}

// hookedTargets are those of the machine, with something that happens before
// each signal.
type hookedTargets struct {
	Targets
	before func(signal Signal)
}

func (h *hookedTargets) Open(pid int) (Target, error) {
	t, err := h.Targets.Open(pid)
	return &hookedTarget{t, h.before}, err
}

type hookedTarget struct {
	Target
	before func(signal Signal)
}

func (h *hookedTarget) Signal(signal Signal) error {
	h.before(signal)
	return h.Target.Signal(signal)
}
