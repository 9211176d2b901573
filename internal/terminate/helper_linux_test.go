package terminate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// helperVariable makes the test binary a process to end: see behave.
const helperVariable = "SERVER_MONITOR_TEST_BEHAVIOUR"

func init() {
	if os.Getenv(helperVariable) != "" {
		runtime.LockOSThread() // the main goroutine stays on the first thread
	}
}

func TestMain(m *testing.M) {
	if behaviour := os.Getenv(helperVariable); behaviour != "" {
		behave(behaviour)
		os.Exit(0)
	}
	code := m.Run()
	removeCgroups()
	os.Exit(code)
}

// behave does what a process to end does, and says "ready" once it does.
func behave(behaviour string) {
	verb, argument, _ := strings.Cut(behaviour, " ")
	switch verb {
	case "obey":
		signal.Reset(unix.SIGTERM)
	case "ignore":
		signal.Ignore(unix.SIGTERM)
	case "linger": // for a while after SIGTERM
		onTerm(func() {
			wait, _ := time.ParseDuration(argument)
			time.Sleep(wait)
			os.Exit(0)
		})
	case "setuid": // becomes root on SIGTERM
		onTerm(func() { report(syscall.Setresuid(0, 0, 0)) })
	case "exec": // runs another program on SIGTERM
		onTerm(func() { report(syscall.Exec(argument, []string{argument}, environment("ignore"))) })
	case "execs": // runs one program after the other for ever
		next, after, _ := strings.Cut(argument, " ")
		if os.Getenv("STARTED") == "" {
			fmt.Println("ready")
		}
		report(syscall.Exec(next, []string{next}, append(environment("execs "+after+" "+next), "STARTED=1")))
	case "parent": // of a child that stays
		child, err := spawn("ignore", nil)
		report(err)
		fmt.Println(child)
	case "daemon": // leaves a child of a child behind
		child, err := spawn("middle", &syscall.SysProcAttr{Setsid: true})
		report(err)
		fmt.Println(child)
		return
	case "middle":
		child, err := spawn("orphan", nil)
		report(err)
		fmt.Println(child)
		return
	case "orphan":
		fmt.Println(os.Getpid())
		time.Sleep(time.Hour)
	case "leaderless": // its first thread ends, others go on
		go func() {
			time.Sleep(10 * time.Millisecond)
			fmt.Println("ready")
		}()
		unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	case "rename":
		report(os.WriteFile("/proc/self/comm", []byte(argument), 0))
	default:
		if !special(verb, argument) {
			report(fmt.Errorf("unknown behaviour %q", verb))
		}
		return
	}
	fmt.Println("ready")
	for {
		time.Sleep(time.Hour)
	}
}

func report(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// onTerm does something on SIGTERM, and waits until that is in place.
func onTerm(deed func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGTERM)
	go func() {
		<-c
		deed()
	}()
}

// environment is ours with another behaviour.
func environment(behaviour string) []string {
	return append(os.Environ(), helperVariable+"="+behaviour)
}

// spawn runs a helper of a helper, and returns the pid that it says, or its own.
func spawn(behaviour string, attr *syscall.SysProcAttr) (int, error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env, cmd.SysProcAttr, cmd.Stderr = environment(behaviour), attr, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if pid, bad := strconv.Atoi(strings.TrimSpace(line)); bad == nil {
		return pid, err
	}
	return cmd.Process.Pid, err
}

// testUID is a login uid that no account of this machine has.
const testUID = 54321

// victim is a real process to end.
type victim struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Reader
	pid int
	// told is the pid that the process told, 0 if none, and held a hold on it.
	told   int
	held   int
	reaped chan struct{}
}

// option changes how a victim is started.
type option func(cmd *exec.Cmd)

// as runs it as a user.
func as(uid uint32) option {
	return func(cmd *exec.Cmd) { cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid} }
}

// in runs it in new namespaces.
func in(flags uintptr) option {
	return func(cmd *exec.Cmd) { cmd.SysProcAttr.Cloneflags = flags }
}

// program runs a file instead of the test binary; what follows are arguments,
// the first of them the name that it is given.
func program(path string, args ...string) option {
	return func(cmd *exec.Cmd) {
		cmd.Path = path
		if len(args) > 0 {
			cmd.Args = args
		}
	}
}

// capable gives it a capability that its user does not have.
func capable(capability uintptr) option {
	return func(cmd *exec.Cmd) { cmd.SysProcAttr.AmbientCaps = []uintptr{capability} }
}

func leader(cmd *exec.Cmd) { cmd.SysProcAttr.Setsid = true }

// start runs a victim and waits until it is ready. It runs as a person in a
// login session of that person, unless options say otherwise.
func start(t *testing.T, behaviour string, options ...option) *victim {
	t.Helper()
	v := startSilent(t, behaviour, append([]option{as(testUID)}, options...)...)
	if behaviour != "" {
		v.awaitReady()
	}
	return v.moveTo(sessionFolder(testUID))
}

// startSilent runs a helper as root, and does not wait.
func startSilent(t *testing.T, behaviour string, options ...option) *victim {
	t.Helper()
	needRoot(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperVariable+"="+behaviour)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	for _, o := range options {
		o(cmd)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", behaviour, err)
	}
	v := &victim{t: t, cmd: cmd, out: bufio.NewReader(out), pid: cmd.Process.Pid, held: -1, reaped: make(chan struct{})}
	t.Cleanup(v.end)
	return v
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to run processes of other users")
	}
}

// awaitReady reads what the victim says until it is ready.
func (v *victim) awaitReady() {
	v.t.Helper()
	for {
		line, err := v.out.ReadString('\n')
		line = strings.TrimSpace(line)
		if pid, bad := strconv.Atoi(line); bad == nil {
			if !strings.Contains(looks(v.t, pid), filepath.Base(mustExecutable(v.t))) {
				v.t.Fatalf("victim %d tells of %d, which is none of ours", v.pid, pid)
			}
			v.told = pid
			if v.held, err = unix.PidfdOpen(pid, 0); err != nil {
				v.held = -1
			}
			continue
		}
		if line == "ready" || errors.Is(err, io.EOF) && v.told != 0 {
			return
		}
		v.t.Fatalf("victim %d says %q, %v", v.pid, line, err)
	}
}

// reap has the victim's end noted by its parent, which is us, as soon as it
// comes.
func (v *victim) reap() *victim {
	go func() {
		_ = v.cmd.Wait()
		close(v.reaped)
	}()
	return v
}

// end kills the victim and those that it left behind.
func (v *victim) end() {
	_ = v.cmd.Process.Kill()
	if v.held >= 0 {
		_ = unix.PidfdSendSignal(v.held, unix.SIGKILL, nil, 0)
		_ = unix.Close(v.held)
		v.held = -1
	}
	_ = v.cmd.Wait()
}

// moveTo puts the victim, and whom it told of, into a cgroup.
func (v *victim) moveTo(folder string) *victim {
	v.t.Helper()
	path := makeCgroup(v.t, folder)
	for _, pid := range []int{v.pid, v.told} {
		if pid == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(path, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
			v.t.Logf("move %d to %s: %v", pid, folder, err)
		}
	}
	return v
}

// sessionFolder is a login session of a user.
func sessionFolder(uid int) string {
	return fmt.Sprintf("user.slice/user-%d.slice/session-smtest%d.scope", uid, os.Getpid())
}

// makeCgroup makes a folder in the hierarchy that systemd manages, or would.
func makeCgroup(t testing.TB, folder string) string {
	t.Helper()
	root := systemdHierarchy(t)
	path := filepath.Join(root, folder)
	if err := os.MkdirAll(path, 0o755); err != nil { //nolint:gosec // as systemd makes them
		t.Skipf("make a cgroup: %v", err)
	}
	made.Store(path, root)
	return path
}

// made are the folders of cgroups that tests made, with the hierarchy they are
// in.
var made sync.Map

// removeCgroups removes what tests made. Who was in it may take a moment to be
// gone, and what others use stays.
func removeCgroups() {
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left := false
		made.Range(func(path, root any) bool {
			left = !removeCgroup(path.(string), root.(string)) || left
			return true
		})
		if !left || time.Now().After(deadline) {
			return
		}
	}
}

// removeCgroup removes a folder, and those above it that nobody is in.
func removeCgroup(path, root string) bool {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	for path = filepath.Dir(path); path != root; path = filepath.Dir(path) {
		if os.Remove(path) != nil {
			break
		}
	}
	return true
}

// systemdHierarchy is where the cgroups are mounted by which logins are told:
// those of name=systemd, else of version 2.
func systemdHierarchy(t testing.TB) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	unified := ""
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) < 4:
		case fields[2] == "cgroup" && strings.Contains(fields[3], "name=systemd"):
			return fields[1]
		case fields[2] == "cgroup2":
			unified = fields[1]
		}
	}
	if unified == "" {
		t.Skip("no cgroups are mounted")
	}
	return unified
}
