package process

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

func ptr(b *byte) unsafe.Pointer { return unsafe.Pointer(b) }

func notify(c chan os.Signal) { signal.Notify(c, syscall.SIGTERM) }

// summary is what a helper's own reader saw.
type summary struct {
	Processes  int
	Hidden     int
	Held       int
	Denied     map[string]uint64
	Unreadable map[int]string // pids and what was denied of them
	Error      string
}

func snapshotSummary() (string, error) {
	r, err := NewReader(Config{Proc: "/proc", Root: "/"})
	if err != nil {
		return "", err
	}
	defer r.Close()
	return summarize(r)
}

func summarize(r *Reader) (string, error) {
	var s summary
	snapshot, err := r.Snapshot(context.Background())
	if err != nil {
		return "", err
	}
	s.Processes, s.Hidden, s.Denied, s.Unreadable = len(snapshot.Processes), snapshot.Hidden, snapshot.Denied, map[int]string{}
	for i := range snapshot.Processes {
		p := &snapshot.Processes[i]
		for fact := range p.Denied.All() {
			s.Unreadable[p.PID] += fact.String() + " "
		}
	}
	text, err := json.Marshal(s)
	return string(text), err
}

// limitedSnapshot takes a snapshot where the reader believes that it may hold
// descriptors, and the kernel gives only a few more.
func limitedSnapshot() (string, error) {
	r, err := NewReader(Config{Proc: "/proc", Root: "/"})
	if err != nil {
		return "", err
	}
	defer r.Close()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return "", err
	}
	limit := syscall.Rlimit{Cur: uint64(len(entries)) + 8, Max: uint64(len(entries)) + 8}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return "", err
	}
	return summarize(r)
}

// alone gives the helper a procfs of its own pid namespace, some processes, and a
// reader of them in steady state.
func alone(number string) (*Reader, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return nil, err
	}
	for range n {
		cmd := exec.Command("/bin/sleep", "3600") // ends with the namespace
		if err := cmd.Start(); err != nil {
			return nil, err
		}
	}
	r, err := NewReader(Config{Proc: "/proc", Root: "/"})
	if err != nil {
		return nil, err
	}
	r.youngLife = 0 // as if all had lived for long
	return r, nil
}

// countAllocations counts what a snapshot allocates for each of some processes in
// steady state.
func countAllocations(number string) (string, error) {
	r, err := alone(number)
	if err != nil {
		return "", err
	}
	defer r.Close()
	allocations := testing.AllocsPerRun(factsTurn, func() {
		if _, failed := r.Snapshot(context.Background()); failed != nil {
			err = failed
		}
	})
	return strconv.FormatFloat(allocations/float64(len(r.processes)), 'f', 3, 64), err
}

// countReads counts the system calls that read in so many snapshots of some
// processes in steady state, as every fact has its turn, and the mean of one of
// them: as the kernel counts reading, and as the reader counts all that it does.
func countReads(number string) (string, error) {
	r, err := alone(number)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var before int
	var calls uint64
	for i := range searchTurn + 3 {
		if _, err := r.Snapshot(context.Background()); err != nil {
			return "", err
		}
		if i == 2 {
			if before, err = readCalls(); err != nil {
				return "", err
			}
			calls = r.calls
		}
	}
	after, err := readCalls()
	return fmt.Sprintf("%.2f %.2f", float64(after-before)/searchTurn, float64(r.calls-calls)/searchTurn), err
}

// readCalls is how often this process has called read(2) and its like
// (proc_pid_io(5), syscr).
func readCalls() (int, error) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "syscr: ")
	digits, _, _ := strings.Cut(rest, "\n")
	return strconv.Atoi(digits)
}

// lookAt tells what the helper's own reader makes of a process.
func lookAt(pid string) (string, error) {
	number, err := strconv.Atoi(pid)
	if err != nil {
		return "", err
	}
	r, err := NewReader(Config{Proc: "/proc", Root: "/"})
	if err != nil {
		return "", err
	}
	defer r.Close()
	snapshot, err := r.Snapshot(context.Background())
	if err != nil {
		return "", err
	}
	p := find(snapshot, number)
	if p == nil {
		return "", syscall.ESRCH
	}
	text, err := json.Marshal(p.Facts)
	return string(text), err
}

// hiddenSnapshot mounts a procfs that hides the processes of others, and takes a
// snapshot as nobody.
func hiddenSnapshot(option string) (string, error) {
	if err := syscall.Mount("proc", "/proc", "proc", 0, option); err != nil {
		return "", err
	}
	if err := syscall.Setgroups(nil); err != nil {
		return "", err
	}
	if err := syscall.Setresgid(65534, 65534, 65534); err != nil {
		return "", err
	}
	if err := syscall.Setresuid(65534, 65534, 65534); err != nil {
		return "", err
	}
	return snapshotSummary()
}

// lookPrivately has a child in a mount namespace of its own, with nothing in a
// folder, look at a process.
func lookPrivately(folder, pid string) (string, error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS}
	cmd.Stdin = strings.NewReader("cover " + folder + "\nlook " + pid + "\n")
	out, err := cmd.Output()
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1], nil
}
