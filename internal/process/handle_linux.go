package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Handle holds one live process: by a descriptor of its /proc directory,
// through which all is read, and by a pidfd, through which all is sent. Both
// belong to that process for ever; a bare pid is used but once, to open them. A
// handle must not be used from several goroutines at once.
type Handle struct {
	reader  *Reader
	process *tracked
	pidfd   int
}

// CanHandle tells whether processes can be held here at all: whether
// config.Proc shows our own pid namespace, and whether the kernel gives pidfds
// and takes signals through them. It fails with [ErrForeignProc] or
// [ErrNoPidfd].
func CanHandle(config Config) error {
	r, err := openProc(config)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.canHandle()
}

// Open takes hold of a process. It fails with [ErrGone], [ErrNotLeader], or as
// [CanHandle] does.
func Open(config Config, pid int) (*Handle, error) {
	r, err := openProc(config)
	if err != nil {
		return nil, err
	}
	h := &Handle{reader: r, pidfd: -1}
	if err := h.open(pid); err != nil {
		h.Close()
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	return h, nil
}

func (h *Handle) open(pid int) error {
	if err := h.reader.canHandle(); err != nil {
		return err
	}
	if pid <= 0 {
		return ErrGone
	}
	h.reader.maxDescriptors = 3
	var err error
	if h.process, err = h.reader.open(pid); err != nil {
		return gone(err)
	}
	if !h.process.held() {
		return unix.EMFILE
	}
	// A thread has a directory too, but no pidfd of this kind.
	if _, err := h.status(); err != nil {
		return err
	}
	if h.pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
		h.pidfd = -1
		return gone(err)
	}
	if err := unix.PidfdSendSignal(h.pidfd, 0, nil, 0); err != nil && !errors.Is(err, unix.EPERM) {
		return gone(err)
	}
	// Whose directory can still be read now has not been reaped, so that the
	// pid was its own when the pidfd was opened: both are of one process.
	_, err = h.reader.readStat(h.process)
	return gone(err)
}

// canHandle is [CanHandle] on a procfs that is open.
func (r *Reader) canHandle() error {
	if !r.real {
		return ErrForeignProc
	}
	// The number could be ours by chance: the list of pids shows whether there
	// are namespaces in between.
	text, err := r.readFile(r.proc, "self/status", r.buffer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForeignProc, err)
	}
	status, err := parseStatus(text)
	if err != nil || status.threadGroup != os.Getpid() || len(status.pids) > 1 {
		return ErrForeignProc
	}
	pidfd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return fmt.Errorf("%w: pidfd_open: %w", ErrNoPidfd, err)
	}
	defer unix.Close(pidfd)
	if err := unix.PidfdSendSignal(pidfd, 0, nil, 0); err != nil {
		return fmt.Errorf("%w: pidfd_send_signal: %w", ErrNoPidfd, err)
	}
	return nil
}

// gone gives the errors of a process that is no more their common name.
func gone(err error) error {
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) {
		return ErrGone
	}
	return err
}

// Close lets go of the process. It may be called twice.
func (h *Handle) Close() {
	if h.pidfd >= 0 {
		unix.Close(h.pidfd)
		h.pidfd = -1
	}
	if h.process != nil {
		h.reader.close(h.process)
	}
	h.reader.Close()
}

// Host gives the namespaces of the host, with which those of a process are to
// be compared; all are 0 where they may not be seen.
func (h *Handle) Host() Namespaces { return h.reader.host }

// Signal sends a signal through the pidfd. Where the process has ended, it is
// [ErrGone] once its parent has taken note, and nil until then.
func (h *Handle) Signal(sig syscall.Signal) error {
	if err := unix.PidfdSendSignal(h.pidfd, sig, nil, 0); err != nil {
		return fmt.Errorf("signal process %d: %w", h.process.PID, gone(err))
	}
	return nil
}

// Facts reads everything anew. It fails with [ErrGone] where the process has
// been reaped, and with [ErrUnsteady] where it never stands still. What may not
// be seen is left empty and noted in Denied.
func (h *Handle) Facts() (Live, error) {
	live, err := h.facts()
	if err != nil {
		return Live{}, fmt.Errorf("read process %d: %w", h.process.PID, gone(err))
	}
	return live, nil
}

func (h *Handle) facts() (Live, error) {
	r, t := h.reader, h.process
	r.sequence++
	clear(r.exes)
	r.users.refresh()
	r.short = r.users.short
	boot, err := r.bootTime()
	if err != nil {
		return Live{}, err
	}
	r.boot = boot
	for range maxRereads {
		before, err := h.status()
		if err != nil {
			return Live{}, err
		}
		t.facts, t.file = nil, nil // nothing of last time is kept
		p, err := r.update(t)
		if errors.Is(err, errEnding) {
			continue
		}
		if err != nil {
			return Live{}, err
		}
		live, err := h.live(p)
		if err != nil {
			return Live{}, err
		}
		if !t.unsteady && live.UIDs == before.uids && live.UIDs.Effective == p.UID && live.agrees() {
			return live, nil
		}
	}
	return Live{}, ErrUnsteady
}

// agrees tells whether the path of the control group, which gives no sign when
// it changes, is the one that the facts were read from.
func (l *Live) agrees() bool {
	found := place(l.Cgroup)
	return l.Denied&DeniedCgroup != 0 || l.State.ended() ||
		found == placement{slice: l.Slice, unit: l.Unit, userUnit: l.UserUnit, container: l.Container}
}

// live adds to a process what snapshots do not read.
func (h *Handle) live(p Process) (Live, error) {
	status, err := h.status()
	if err != nil {
		return Live{}, err
	}
	p.Denied = h.process.factsDenied
	live := Live{Process: p, UIDs: status.uids, PIDs: status.pids, SessionLeader: p.Session == p.PID}
	if live.PIDs == nil {
		live.PIDs = []int{p.PID}
	}
	text, err := h.reader.readAt(h.process, "cgroup")
	if err == nil {
		live.Cgroup = string(cgroupPath(text))
	} else if !denied(err) {
		return Live{}, err
	}
	if live.LoginUID, err = h.auditNumber("loginuid"); err != nil {
		return Live{}, err
	}
	if live.AuditSession, err = h.auditNumber("sessionid"); err != nil {
		return Live{}, err
	}
	live.Exited, err = h.Exited()
	return live, err
}

// status reads the status file, and sees to it that it is a process's.
func (h *Handle) status() (statusFacts, error) {
	text, err := h.reader.readAt(h.process, "status")
	if err != nil {
		return statusFacts{}, gone(err)
	}
	s, err := parseStatus(text)
	if err == nil && s.threadGroup != h.process.PID {
		return statusFacts{}, ErrNotLeader
	}
	return s, err
}

// auditNumber reads a file that holds one number (proc_pid_loginuid(5)), -1
// where it is unset, denied, or not kept by the kernel.
func (h *Handle) auditNumber(name string) (int, error) {
	text, err := h.reader.readAt(h.process, name)
	switch {
	case errors.Is(err, unix.ENOENT), denied(err):
		return -1, nil
	case err != nil:
		return 0, err
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if n == 1<<32-1 {
		return -1, nil
	}
	return int(n), nil
}

// Children lists the pids of the processes whose parent this one is now
// (proc_pid_children(5)), nil where the kernel does not tell. By the time they
// are looked at, the pids may belong to others.
func (h *Handle) Children() ([]int, error) {
	r, t := h.reader, h.process
	threads, err := r.threads(t)
	if err != nil {
		return nil, gone(err)
	}
	var children []int
	for _, thread := range threads {
		f, err := r.openFile(r.leaderAt(t, "task/"+strconv.Itoa(thread)+"/children"))
		if err != nil {
			continue // it has ended
		}
		var text bytes.Buffer
		_, err = text.ReadFrom(f)
		f.Close()
		if err == nil {
			children = append(children, numbers(text.Bytes())...)
		}
	}
	return children, nil
}
