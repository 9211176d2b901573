package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// stuck mounts a file system that never answers, like NFS whose server is
// away, until the sample ends. That takes CAP_SYS_ADMIN.
func stuck(args []string) error {
	if len(args) != 1 {
		return errors.New("give a folder")
	}
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open /dev/fuse: %w", err)
	}
	// Nobody ever reads the requests of the kernel from the descriptor
	// (fuse(4)): whoever asks waits, until it is closed. Without allow_other,
	// other users than the mounter would be told that it is empty.
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd)
	if err := unix.Mount("sample", args[0], "fuse.sample", 0, options); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	return nil
}
