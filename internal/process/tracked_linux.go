package process

import (
	"errors"
	"io"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tracked is a process that the reader follows from snapshot to snapshot.
type tracked struct {
	Identity
	// Descriptors of /proc/PID/stat, and O_PATH ones of /proc/PID,
	// /proc/PID/fd and, where the first thread has ended but not the others, of
	// one of theirs, /proc/PID/task/TID; -1 where they are not held.
	stat, dir, fds, thread int
	name                   string // the pid in digits, for look-ups when dir is not held

	comm      string
	image     uint64
	euid      int
	ppid      int
	session   int
	device    int32
	tty       string
	kernel    bool
	ended     bool // a zombie
	startTime time.Time
	changed   bool // something that makes a new revision has changed

	facts       *Facts
	file        *exeFile
	factsYoung  bool // they were read in the first seconds of its life
	unsteady    bool // they may be of several programs
	factsDenied Denied

	openFDs       int
	fdsChanged    bool   // their number differs from the last snapshot's
	searched      bool   // its descriptors were searched for sockets
	lastSearch    uint64 // the last snapshot in which they were
	socketsDenied bool
	listen        []Socket
	denied        Denied // as the last snapshot told it

	revision uint64
	seen     uint64 // the last snapshot that met it
}

// newTracked makes one that holds nothing yet, by its name in /proc.
func newTracked(name string) *tracked {
	return &tracked{stat: -1, dir: -1, fds: -1, thread: -1, name: name, openFDs: -1}
}

// held tells whether the process keeps its descriptors between snapshots.
func (t *tracked) held() bool { return t.stat >= 0 }

// note takes over what stat says of who the process is, and tells whether that
// makes it needed to read the facts.
func (t *tracked) note(raw *rawStat) bool {
	executed := raw.image != t.image
	t.image = raw.image
	if string(raw.comm) != t.comm {
		t.comm = string(raw.comm)
		executed, t.changed = true, true
	}
	if raw.ppid != t.ppid || raw.session != t.session {
		t.ppid, t.session = raw.ppid, raw.session
		t.changed = true
	}
	if raw.tty != t.device {
		t.device, t.tty = raw.tty, ttyName(raw.tty)
		t.changed = true
	}
	t.ended = raw.state.ended()
	return executed
}

// started takes over when the process started, which is another moment once
// somebody has set the clock.
func (t *tracked) started(at time.Time) {
	if !t.startTime.Equal(at) {
		t.startTime = at
		t.changed = true
	}
}

// open takes hold of a process that is new, as far as descriptors go.
// It fails with ESRCH or ENOENT where the process has gone.
func (r *Reader) open(pid int) (*tracked, error) {
	t := newTracked(strconv.Itoa(pid))
	t.Identity = Identity{PID: pid, Boot: r.boot8}
	if r.heldDescriptors+3 > r.maxDescriptors {
		return t, nil
	}
	var err error
	if t.dir, err = unix.Openat(r.proc, t.name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		t.dir = -1
		return t, unlessShort(err)
	}
	if t.stat, err = unix.Openat(t.dir, "stat", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		t.stat = -1
		unix.Close(t.dir)
		t.dir = -1
		return t, unlessShort(err)
	}
	r.heldDescriptors += 2
	// Only the count of descriptors is lost where this fails.
	if t.fds, err = unix.Openat(t.dir, "fd", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		t.fds = -1
	} else {
		r.heldDescriptors++
	}
	return t, nil
}

// hold opens the directory of a process that is not held for as long as it is
// read, so that all of that is of one process.
func (r *Reader) hold(t *tracked) (release func(), err error) {
	if t.dir >= 0 {
		return func() {}, nil
	}
	dir, err := unix.Openat(r.proc, t.name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	t.dir = dir
	return func() {
		r.leaveThread(t)
		unix.Close(dir)
		t.dir = -1
	}, nil
}

// unlessShort drops the errors of a full descriptor table, with which the
// reader goes on without holding.
func unlessShort(err error) error {
	if shortOfDescriptors(err) {
		return nil
	}
	return err
}

// shortOfDescriptors tells the errors of a full descriptor table, which say
// nothing about the process.
func shortOfDescriptors(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)
}

// close lets go of the descriptors.
func (r *Reader) close(t *tracked) {
	for _, fd := range [...]*int{&t.stat, &t.dir, &t.fds, &t.thread} {
		if *fd >= 0 {
			unix.Close(*fd)
			*fd = -1
			r.heldDescriptors--
		}
	}
}

// at gives a directory descriptor and a path relative to it for a file of the
// process's /proc directory, or of that of a thread which goes on where the
// first has ended.
func (r *Reader) at(t *tracked, name string) (int, string) {
	if t.thread >= 0 {
		return t.thread, name
	}
	return r.leaderAt(t, name)
}

// leaderAt is at for what the whole process has, or its first thread.
func (r *Reader) leaderAt(t *tracked, name string) (int, string) {
	if t.dir >= 0 {
		return t.dir, name
	}
	return r.proc, t.name + "/" + name
}

// statAt is stat(2) on a file of the process's /proc directory; links are
// followed.
func (r *Reader) statAt(t *tracked, name string, st *unix.Stat_t) error {
	dir, name := r.at(t, name)
	return unix.Fstatat(dir, name, st, 0)
}

// linkAt reads a link of the process's /proc directory into the reader's
// buffer, whose contents hold until the next reading.
func (r *Reader) linkAt(t *tracked, name string) ([]byte, error) {
	dir, name := r.at(t, name)
	n, err := unix.Readlinkat(dir, name, r.buffer)
	if err != nil {
		return nil, err
	}
	return r.buffer[:n], nil
}

// readAt reads a file of the process's /proc directory into the reader's
// buffer, as far as that goes.
func (r *Reader) readAt(t *tracked, name string) ([]byte, error) {
	dir, name := r.at(t, name)
	return readFile(dir, name, r.buffer)
}

// readFile reads a file into a buffer, as far as that goes.
func readFile(dir int, name string, buffer []byte) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, buffer)
	if err != nil {
		return nil, err
	}
	return buffer[:n], nil
}

// openAt opens a file of the process's /proc directory for reading to the end.
func (r *Reader) openAt(t *tracked, name string) (io.ReadCloser, error) {
	dir, name := r.at(t, name)
	return openFile(dir, name)
}

func openFile(dir int, name string) (io.ReadCloser, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return descriptor(fd), nil
}

// descriptor is a file descriptor that can be read and closed.
type descriptor int

func (d descriptor) Read(b []byte) (int, error) {
	n, err := unix.Read(int(d), b)
	if err != nil {
		return 0, err
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (d descriptor) Close() error { return unix.Close(int(d)) }

// denied tells the errors of a want of permission.
func denied(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
}
