package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// socketsEach is how many a process of the case opens: descriptors are limited.
const socketsEach = 15_000

// runLarge is what the first process of the namespaces does: it has others make
// much of a kind, and takes snapshots.
func runLarge(kind, number string) (string, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return "", err
	}
	if err := loopbackUp(); err != nil {
		return "", err
	}
	r, err := alone("1")
	if err != nil {
		return "", err
	}
	defer r.Close()
	var makers []*maker
	defer func() {
		for _, m := range makers {
			m.in.Close()
		}
	}()
	for from := 0; from < n; from += socketsEach {
		part := n - from
		if kind == "sockets" {
			part = min(part, socketsEach)
		}
		m, err := startMaker(kind)
		if err != nil {
			return "", err
		}
		makers = append(makers, m)
		if err := m.make(fmt.Sprintf("much %s %d %d", kind, from, part)); err != nil {
			return "", err
		}
		if kind != "sockets" {
			break
		}
	}
	return measureLarge(r, kind, n, makers)
}

func measureLarge(r *Reader, kind string, n int, makers []*maker) (string, error) {
	var result large
	var err error
	if result.First, _, err = measured(r, 1); err != nil {
		return "", err
	}
	var s *Snapshot
	if result.Steady, s, err = measured(r, 8); err != nil {
		return "", err
	}
	for _, m := range makers {
		p := find(s, m.cmd.Process.Pid)
		if p == nil {
			return "", errors.New("who made them is not there")
		}
		result.Found += map[string]int{"sockets": len(p.Listen), "descriptors": p.OpenFDs - m.descriptors, "threads": p.Threads - m.threads, "mounts": n}[kind]
	}
	if err := makers[0].make(fmt.Sprintf("much %s %d 1", kind, n)); err != nil {
		return "", err
	}
	for range countTurn { // one of which finds it
		one, _, err := measured(r, 1)
		if err != nil {
			return "", err
		}
		if one.Calls >= result.Changed.Calls {
			result.Changed = one
		}
	}
	result.Held = r.heldDescriptors
	text, err := json.Marshal(result)
	return string(text), err
}

// measured takes snapshots and tells what one of them cost.
func measured(r *Reader, times int) (largeSnapshot, *Snapshot, error) {
	var last *Snapshot
	before, begin, used := r.calls, time.Now(), processorTime()
	for range times {
		s, err := r.Snapshot(context.Background())
		if err != nil {
			return largeSnapshot{}, nil, err
		}
		last = s
	}
	return largeSnapshot{
		Calls: (r.calls - before) / uint64(times),
		CPU:   (processorTime() - used) / time.Duration(times),
		Took:  time.Since(begin) / time.Duration(times),
	}, last, nil
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// maker is a process that makes much of a kind.
type maker struct {
	cmd                  *exec.Cmd
	in                   io.WriteCloser
	out                  *bufio.Scanner
	descriptors, threads int // of its own
}

// startMaker starts one, whose program is on a file system without a device, so
// that a reader looks through the mounts for whether it is remote.
func startMaker(kind string) (*maker, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if kind == "mounts" {
		if program, err = openProgram(); err != nil {
			return nil, err
		}
	}
	m := &maker{cmd: exec.Command(program)}
	if m.in, err = m.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	m.cmd.Stderr = os.Stderr
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	m.out = bufio.NewScanner(out)
	if !m.out.Scan() {
		return nil, errors.New("it ended")
	}
	if err := m.make("much descriptors 0 0"); err != nil {
		return nil, err
	}
	pid := strconv.Itoa(m.cmd.Process.Pid)
	fds, err := os.ReadDir("/proc/" + pid + "/fd")
	if err != nil {
		return nil, err
	}
	threads, err := os.ReadDir("/proc/" + pid + "/task")
	m.descriptors, m.threads = len(fds), len(threads)
	return m, err
}

func (m *maker) make(order string) error {
	if _, err := io.WriteString(m.in, order+"\n"); err != nil {
		return err
	}
	if !m.out.Scan() {
		return errors.New("it ended")
	}
	if answer := m.out.Text(); answer != "ok" {
		return errors.New(answer)
	}
	return nil
}

// makeMuch is what a maker does: so many of a kind, counted from a number.
func makeMuch(kind string, from, n int) error {
	switch kind {
	case "sockets":
		for i := from; i < from+n; i++ {
			if _, err := actorListen(i); err != nil {
				return fmt.Errorf("socket %d: %w", i, err)
			}
		}
		return nil
	case "descriptors":
		for range n {
			if _, err := unix.FcntlInt(2, unix.F_DUPFD_CLOEXEC, 3); err != nil {
				return err
			}
		}
		return nil
	case "threads":
		return makeThreads(n)
	case "mounts":
		return makeMounts(from, n)
	}
	return errors.New("unknown kind " + kind)
}

// actorListen listens on the loopback: on one of 50,000 ports of one of its
// addresses.
func actorListen(i int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: 10_000 + i%50_000, Addr: [4]byte{127, 0, 1, byte(1 + i/50_000)}}); err != nil {
		return -1, err
	}
	return fd, unix.Listen(fd, 1)
}

// makeThreads waits until there are so many more. Go keeps some more for itself,
// so that they are made by counting.
func makeThreads(n int) error {
	debug.SetMaxThreads(100_000)
	before, err := countThreads()
	if err != nil {
		return err
	}
	for want := before + n; ; {
		now, err := countThreads()
		if err != nil {
			return err
		}
		if now >= want {
			return nil
		}
		started := make(chan struct{})
		for range want - now {
			go func() {
				runtime.LockOSThread()
				started <- struct{}{}
				for {
					_ = unix.Pause()
				}
			}()
		}
		for range want - now {
			<-started
		}
	}
}

func countThreads() (int, error) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, err
	}
	raw, err := parseStat(text)
	return raw.threads, err
}

// makeMounts mounts a folder on others.
func makeMounts(from, n int) error {
	for i := from; i < from+n; i++ {
		folder := filepath.Join(sequenceOuter, "mounts", strconv.Itoa(i))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(sequenceOuter, folder, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	if text, err := os.ReadFile("/proc/self/mountinfo"); err != nil || strings.Count(string(text), "\n") < from+n {
		return fmt.Errorf("%d bytes of mounts: %w", len(text), err)
	}
	return nil
}
