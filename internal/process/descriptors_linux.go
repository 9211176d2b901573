package process

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// directory opens a folder only to find what is in it.
const directory = unix.O_PATH | unix.O_DIRECTORY

// openat opens a file, without links to other processes' programs. Where the
// table of descriptors is full, the reader lets go of half of those that it
// holds, for good, and tries once more. It returns -1 with an error.
func (r *Reader) openat(dir int, name string, flags int) (int, error) {
	return r.roomFor(func() (int, error) { return unix.Openat(dir, name, flags|unix.O_CLOEXEC, 0) })
}

// roomFor opens something as openat does. Where there is no room even so, that
// is noted: whoever finds a file missing then must not take it for absent.
func (r *Reader) roomFor(open func() (int, error)) (int, error) {
	r.calls++
	fd, err := open()
	if shortOfDescriptors(err) && r.shed() {
		fd, err = open()
	}
	if err != nil {
		r.short = r.short || shortOfDescriptors(err)
		return -1, err
	}
	return fd, nil
}

// spare lets go of /proc/PID/fd, which is needed least often, of all processes, so
// that more of them can be held at all.
func (r *Reader) spare() {
	if r.sparing {
		return
	}
	r.sparing = true
	for _, t := range r.processes {
		if t.fds >= 0 {
			unix.Close(t.fds)
			t.fds = -1
			r.heldDescriptors--
		}
	}
}

// shed lets go of half of the descriptors, but for those of the process that is
// being read, and holds no more than that from now on.
func (r *Reader) shed() bool {
	before := r.heldDescriptors
	r.maxDescriptors = before / 2
	for _, t := range r.processes {
		if r.heldDescriptors <= r.maxDescriptors {
			break
		}
		if t != r.inUse && t.held() {
			r.close(t)
		}
	}
	return r.heldDescriptors < before
}

// shortOfDescriptors tells the errors of a full descriptor table, which say
// nothing about the process.
func shortOfDescriptors(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)
}

// unlessShort drops the errors of a full descriptor table, with which the
// reader goes on without holding.
func unlessShort(err error) error {
	if shortOfDescriptors(err) {
		return nil
	}
	return err
}

// denied tells the errors of a want of permission.
func denied(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
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
