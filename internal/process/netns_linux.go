package process

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// diagOf makes a diag for the network namespace of a process, which takes
// CAP_SYS_ADMIN. The socket belongs to the namespace in which it was made: a
// thread goes there only to make it. It must be closed soon, for it keeps the
// namespace in being.
func (r *Reader) diagOf(t *tracked) (*diag, error) {
	dir, name := r.at(t, "ns/net")
	there, err := r.openat(dir, name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(there)
	back, err := r.openat(unix.AT_FDCWD, "/proc/self/ns/net", unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(back)
	var d *diag
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Setns(there, unix.CLONE_NEWNET)
		if err == nil {
			d, err = newDiag(r.sockets.buffer)
			if unix.Setns(back, unix.CLONE_NEWNET) != nil {
				done <- err
				return // the thread ends with a goroutine that is locked to it
			}
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	err = <-done
	return d, err
}

// listByDiag lists the sockets of a process's network namespace by sock_diag, and
// tells whether it could.
func (r *Reader) listByDiag(t *tracked, found func(Socket)) bool {
	table := r.sockets
	if table.noSetns || !r.real {
		return false
	}
	d, err := r.diagOf(t)
	if err != nil {
		table.noSetns = errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS)
		return false
	}
	defer d.close()
	return d.list(found) == nil
}
