package process

import (
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

	last      lastStat
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

	cgroup string // the path that place was read from
	place  placement

	facts       *Facts
	file        *exeFile
	factsYoung  bool // they were read in the first seconds of its life
	unsteady    bool // they may be of several programs
	factsDenied Denied

	openFDs       int
	counted       uint64 // the last snapshot in which they were counted
	fdsChanged    bool   // their number differs from the last snapshot's
	fdsUnsearched bool   // it did since they were searched
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
	short := r.short // nothing is missed where what cannot be held is opened later
	defer func() { r.short = short }()
	t := newTracked(strconv.Itoa(pid))
	t.Identity = Identity{PID: pid, Boot: r.boot8}
	if r.heldDescriptors+3 > r.maxDescriptors {
		r.spare()
	}
	if r.heldDescriptors+2 > r.maxDescriptors {
		return t, nil
	}
	dir, err := r.openat(r.proc, t.name, directory)
	if err != nil {
		return t, unlessShort(err)
	}
	stat, err := r.openat(dir, "stat", unix.O_RDONLY)
	if err != nil {
		unix.Close(dir)
		return t, unlessShort(err)
	}
	t.dir, t.stat = dir, stat
	r.heldDescriptors += 2
	if r.sparing {
		return t, nil
	}
	// Where this fails, the folder is looked up each time that it is needed.
	if t.fds, err = r.openat(dir, "fd", directory); err == nil {
		r.heldDescriptors++
	}
	return t, nil
}

// hold opens the directory of a process that is not held for as long as it is
// read, so that all of that is of one process.
func (r *Reader) hold(t *tracked) (release func(), err error) {
	r.inUse = t
	if t.dir >= 0 {
		return func() {}, nil
	}
	dir, err := r.openat(r.proc, t.name, directory)
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
	r.calls++
	dir, name := r.at(t, name)
	return unix.Fstatat(dir, name, st, 0)
}

// linkAt reads a link of the process's /proc directory into the reader's
// buffer, whose contents hold until the next reading.
func (r *Reader) linkAt(t *tracked, name string) ([]byte, error) {
	r.calls++
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
	return r.readFile(dir, name, r.buffer)
}

// readFile reads a file into a buffer, as far as that goes.
func (r *Reader) readFile(dir int, name string, buffer []byte) ([]byte, error) {
	fd, err := r.openat(dir, name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	r.calls++
	n, err := unix.Read(fd, buffer)
	if err != nil {
		return nil, err
	}
	return buffer[:n], nil
}

// openAt opens a file of the process's /proc directory for reading to the end.
func (r *Reader) openAt(t *tracked, name string) (io.ReadCloser, error) {
	dir, name := r.at(t, name)
	return r.openFile(dir, name)
}

func (r *Reader) openFile(dir int, name string) (io.ReadCloser, error) {
	fd, err := r.openat(dir, name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return descriptor(fd), nil
}
