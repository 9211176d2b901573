package process

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Exited tells whether all threads of the process have ended.
func (h *Handle) Exited() (bool, error) {
	return pollOnce([]unix.PollFd{{Fd: int32(h.pidfd), Events: unix.POLLIN}}, 0)
}

// Wait returns nil once the process has ended, or the cause of the end of ctx.
func (h *Handle) Wait(ctx context.Context) error {
	cancelled, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("wait for process %d: %w", h.process.PID, err)
	}
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(told)
		_, _ = unix.Write(cancelled, []byte{1, 1, 1, 1, 1, 1, 1, 1})
	})
	defer func() {
		if !stop() {
			<-told // who still writes must not write to another file
		}
		unix.Close(cancelled)
	}()
	exited, err := pollOnce([]unix.PollFd{
		{Fd: int32(h.pidfd), Events: unix.POLLIN},
		{Fd: int32(cancelled), Events: unix.POLLIN},
	}, -1)
	switch {
	case err != nil:
		return fmt.Errorf("wait for process %d: %w", h.process.PID, err)
	case exited:
		return nil
	}
	return context.Cause(ctx)
}

// pollOnce waits for the first of some descriptors to become ready, and tells
// whether the first in the list is.
func pollOnce(fds []unix.PollFd, milliseconds int) (bool, error) {
	for {
		_, err := unix.Poll(fds, milliseconds)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil && fds[0].Revents&unix.POLLNVAL != 0 {
			err = unix.EBADF
		}
		return fds[0].Revents != 0, err
	}
}
