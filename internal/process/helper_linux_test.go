package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// helperVariable makes the test binary a process to look at: see obey.
const helperVariable = "SERVER_MONITOR_TEST_HELPER"

func init() {
	runtime.LockOSThread() // the main goroutine stays on the first thread
}

func TestMain(m *testing.M) {
	switch os.Getenv(helperVariable) {
	case "":
	case actorRole:
		act()
	default:
		obey(os.Stdin, os.Stdout)
		os.Exit(0)
	}
	runtime.UnlockOSThread()
	os.Exit(m.Run())
}

// obey does what the lines of the input say and answers each with one line.
func obey(in io.Reader, out io.Writer) {
	fmt.Fprintln(out, "ready")
	var kept []any // what would otherwise be closed
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		answer, err := order(words[0], words[1:], &kept)
		if err != nil {
			answer = "error: " + err.Error()
		}
		fmt.Fprintln(out, answer)
	}
}

// order carries out one line.
func order(verb string, args []string, kept *[]any) (string, error) {
	switch verb {
	case "listen": // NETWORK ADDRESS
		return listenOn(args[0], args[1], kept)
	case "close": // the last listener
		return "ok", (*kept)[len(*kept)-1].(io.Closer).Close()
	case "child": // starts a copy of itself that inherits the last listener
		return inherit(kept)
	case "rename": // NAME
		name, err := unix.BytePtrFromString(args[0])
		if err != nil {
			return "", err
		}
		return "ok", unix.Prctl(unix.PR_SET_NAME, uintptr(ptr(name)), 0, 0, 0)
	case "exec": // PATH
		return "", syscall.Exec(args[0], args, os.Environ())
	case "seteuid":
		uid, err := strconv.Atoi(args[0])
		if err != nil {
			return "", err
		}
		return "ok", syscall.Setresuid(-1, uid, -1)
	case "leave": // the first thread ends, the others go on
		go obey(os.Stdin, os.Stdout)
		unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	case "handle":
		err := CanHandle(Config{Proc: "/proc", Root: "/"})
		if errors.Is(err, ErrForeignProc) {
			return "foreign", nil
		}
		return "able", err
	case "allocations": // NUMBER: of a snapshot, with so many processes
		return countAllocations(args[0])
	case "reads": // NUMBER: by which a snapshot reads, with so many processes
		return countReads(args[0])
	case "look": // PID: with a reader of its own
		return lookAt(args[0])
	case "private": // FOLDER PID: looks from a mount namespace without the folder
		return lookPrivately(args[0], args[1])
	case "procfs": // of its own pid namespace
		return "ok", syscall.Mount("proc", "/proc", "proc", 0, "")
	case "cover": // FOLDER: with an empty one, for this process alone
		return "ok", syscall.Mount("tmpfs", args[0], "tmpfs", 0, "")
	case "chroot": // FOLDER
		return "ok", syscall.Chroot(args[0])
	case "hidepid": // OPTION: takes a snapshot as nobody
		return hiddenSnapshot(args[0])
	case "mount": // FOLDER: a file system of one program
		disk, err := mountStuckable(args[0])
		if err != nil {
			return "cannot mount: " + err.Error(), nil //nolint:nilerr // an answer like any other
		}
		*kept = append(*kept, disk)
		return "ok", nil
	case "stick": // what was mounted last answers no more
		(*kept)[len(*kept)-1].(*stuckable).stuck.Store(true)
		return "ok", nil
	case "limited": // a snapshot with a table of descriptors that is nearly full
		return limitedSnapshot()
	case "sequences": // ORDER: see there
		return runSequences(args[0])
	case "large": // KIND NUMBER: snapshots where there is much of a kind
		return runLarge(args[0], args[1])
	case "much": // KIND FROM NUMBER
		from, _ := strconv.Atoi(args[1])
		n, err := strconv.Atoi(args[2])
		if err == nil {
			err = makeMuch(args[0], from, n)
		}
		return "ok", err
	case "starved": // NUMBER: of processes, with a table of descriptors that is nearly full
		return starve(args[0])
	case "snapshot": // with a reader of its own
		return snapshotSummary()
	case "ignore":
		// SIGTERM leaves it as it is, as with a daemon that hangs.
		c := make(chan os.Signal, 1)
		notify(c)
		*kept = append(*kept, c)
		return "ok", nil
	}
	return "", fmt.Errorf("unknown order %q", verb)
}

func listenOn(network, address string, kept *[]any) (string, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		controlErr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return errors.Join(controlErr, err)
	}}
	if strings.HasPrefix(network, "udp") {
		c, err := config.ListenPacket(context.Background(), network, address)
		if err != nil {
			return "", err
		}
		*kept = append(*kept, c)
		return c.LocalAddr().String(), nil
	}
	l, err := config.Listen(context.Background(), network, address)
	if err != nil {
		return "", err
	}
	*kept = append(*kept, l)
	return l.Addr().String(), nil
}

func inherit(kept *[]any) (string, error) {
	f, err := (*kept)[len(*kept)-1].(*net.TCPListener).File()
	if err != nil {
		return "", err
	}
	defer f.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.ExtraFiles = []*os.File{f}
	if _, err := cmd.StdinPipe(); err != nil { // it ends with us
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	*kept = append([]any{cmd}, *kept...)
	return strconv.Itoa(cmd.Process.Pid), nil
}

// helper is a process that obeys.
type helper struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	pid    int
	waited bool
}

// startHelper runs a program, the test binary or a copy of it, that obeys.
func startHelper(t *testing.T, program string, attr *syscall.SysProcAttr) *helper {
	t.Helper()
	if program == "" {
		program = testBinary(t)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), helperVariable+"=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = attr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start helper: %v", err)
	}
	h := &helper{t: t, cmd: cmd, in: in, out: bufio.NewReader(out), pid: cmd.Process.Pid}
	t.Cleanup(h.end)
	h.answer()
	return h
}

func testBinary(t *testing.T) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// answer is the next line of the helper's output.
func (h *helper) answer() string {
	h.t.Helper()
	line, err := h.out.ReadString('\n')
	if err != nil {
		h.t.Fatalf("helper %d: %v", h.pid, err)
	}
	line = strings.TrimSuffix(line, "\n")
	if message, bad := strings.CutPrefix(line, "error: "); bad {
		h.t.Fatalf("helper %d: %s", h.pid, message)
	}
	return line
}

// do has an order carried out.
func (h *helper) do(order string) string {
	h.t.Helper()
	if _, err := fmt.Fprintln(h.in, order); err != nil {
		h.t.Fatal(err)
	}
	return h.answer()
}

// end kills the helper and reaps it.
func (h *helper) end() {
	if h.waited {
		return
	}
	h.waited = true
	_ = h.cmd.Process.Kill()
	_ = h.cmd.Wait()
}

// copyTo copies the test binary, which then is a program of another name.
func copyTo(t *testing.T, name string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	// A link is enough, and quicker, where it is possible.
	content, err := os.ReadFile(testBinary(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 seconds", what)
		}
	}
}
