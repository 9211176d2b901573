package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStarvedReadsLikeFed compares readers that have few descriptors, down to
// none at all, with one that has enough: they may fail, but tell nothing else.
func TestStarvedReadsLikeFed(t *testing.T) {
	needRoot(t)
	number := "1000"
	if testing.Short() {
		number = "100"
	}
	h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET, Unshareflags: unix.CLONE_NEWNS})
	t.Log(h.do("starved " + number))
}

const (
	starvedLimit     = 256 // descriptors
	starvedListeners = 20
	spareDescriptors = 12 // with so many left in the table, everything has to work
)

// starve is what the first process of the namespaces does.
func starve(number string) (string, error) {
	if err := loopbackUp(); err != nil {
		return "", err
	}
	fed, err := alone(number)
	if err != nil {
		return "", err
	}
	listeners, err := startListeners(starvedListeners)
	if err != nil {
		return "", err
	}
	defer func() {
		for _, in := range listeners {
			in.Close()
		}
	}()
	want, err := fed.Snapshot(context.Background())
	if err != nil {
		return "", err
	}
	boot := fed.boot
	known, err := NewReader(Config{Proc: "/proc", Root: "/"}) // made while there was room
	if err != nil {
		return "", err
	}
	defer known.Close()
	if _, err := sameAs(want, known, boot); err != nil {
		return "", err
	}
	fed.Close() // it has the lowest numbers, which are those that a limit leaves
	limit := unix.Rlimit{Cur: starvedLimit, Max: starvedLimit}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return "", err
	}
	low, err := NewReader(Config{Proc: "/proc", Root: "/"})
	if err != nil {
		return "", err
	}
	defer low.Close()
	unheld, err := sameAs(want, low, boot)
	if err != nil || unheld != len(want.Processes) {
		return "", fmt.Errorf("limit of %d: %d of %d processes not held: %w", starvedLimit, unheld, len(want.Processes), err)
	}
	failed, err := starveFurther(want, boot, low, known)
	return fmt.Sprintf("%d processes, %d failures for want of descriptors", len(want.Processes), failed), err
}

// starveFurther leaves less and less room in the table of descriptors.
func starveFurther(want *Snapshot, boot time.Time, readers ...*Reader) (failed int, err error) {
	runtime.GC() // what the collector closes must not make room
	time.Sleep(100 * time.Millisecond)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for spare := spareDescriptors; spare >= 0; spare-- {
		release, err := fillDescriptors(spare)
		if err != nil {
			return 0, err
		}
		for i, r := range readers {
			_, err := sameAs(want, r, boot)
			if shortOfDescriptors(err) && spare < spareDescriptors {
				failed++
			} else if err != nil {
				release()
				return 0, fmt.Errorf("%d descriptors left, reader %d: %w", spare, i, err)
			}
		}
		if r, err := NewReader(Config{Proc: "/proc", Root: "/"}); err == nil {
			if _, err := sameAs(want, r, boot); err != nil && !shortOfDescriptors(err) {
				release()
				return 0, fmt.Errorf("%d descriptors left, new reader: %w", spare, err)
			}
			r.Close()
		}
		release()
	}
	for _, r := range readers { // as if nothing had been
		if _, err := sameAs(want, r, boot); err != nil {
			return 0, fmt.Errorf("with room again: %w", err)
		}
	}
	if failed == 0 {
		return 0, errors.New("nothing was ever short of descriptors")
	}
	return failed, nil
}

// fillDescriptors leaves only some in the table.
func fillDescriptors(spare int) (release func(), err error) {
	var filled []int
	release = func() {
		for _, fd := range filled {
			unix.Close(fd)
		}
	}
	for {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if shortOfDescriptors(err) {
			break
		}
		if err != nil {
			release()
			return nil, err
		}
		filled = append(filled, fd)
	}
	for range spare {
		unix.Close(filled[len(filled)-1])
		filled = filled[:len(filled)-1]
	}
	return release, nil
}

// sameAs takes a snapshot and compares it with another one of the same processes,
// but for ourselves. It tells how many the reader did not hold.
func sameAs(want *Snapshot, r *Reader, boot time.Time) (unheld int, err error) {
	r.boot, r.youngLife = boot, 1<<60
	got, err := r.Snapshot(context.Background())
	if err != nil {
		return 0, err
	}
	if len(got.Processes) != len(want.Processes) || got.UnownedSockets != 0 || got.MemoryTotal != want.MemoryTotal {
		return 0, fmt.Errorf("%d processes, %d sockets without an owner, %d bytes", len(got.Processes), got.UnownedSockets, got.MemoryTotal)
	}
	listeners := 0
	for i := range want.Processes {
		a, b := &want.Processes[i], &got.Processes[i]
		if listeners += len(b.Listen); a.PID == os.Getpid() {
			continue
		}
		if lasting(a) != lasting(b) || a.OpenFDs != b.OpenFDs {
			return 0, fmt.Errorf("want %s, %d descriptors; got %s, %d", lasting(a), a.OpenFDs, lasting(b), b.OpenFDs)
		}
	}
	if listeners != starvedListeners {
		return 0, fmt.Errorf("%d listeners", listeners)
	}
	return got.Unheld, nil
}

// startListeners starts processes that listen, each on a port, until their inputs
// are closed.
func startListeners(n int) (inputs []io.Closer, err error) {
	program, err := openProgram()
	if err != nil {
		return nil, err
	}
	for range n {
		cmd := exec.Command(program)
		// Their files are looked at through their own mounts, which takes most.
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(in, "listen tcp4 127.0.0.1:0\n"); err != nil {
			return nil, err
		}
		answers := bufio.NewScanner(out)
		for range 2 { // that it is ready, and its address
			if !answers.Scan() {
				return nil, errors.New("a listener ended")
			}
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// openProgram copies our program to a folder to which everybody may write: to
// overlook that would make it look better than it is.
func openProgram() (string, error) {
	if err := unix.Mount("tmpfs", sequenceOuter, "tmpfs", 0, "mode=777"); err != nil {
		return "", err
	}
	content, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return "", err
	}
	program := sequenceOuter + "/listener"
	return program, os.WriteFile(program, content, 0o755) //nolint:gosec // a program
}
