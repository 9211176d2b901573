package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

func init() {
	commands["rename"] = rename
	commands["memfd"] = memfd
	commands["stuck"] = stuck
}

// rename takes another name, as ps shows it.
func rename(args []string) error {
	if len(args) != 1 {
		return errors.New("give a name")
	}
	// The file belongs to the first thread, whichever one writes to it
	// (proc_pid_comm(5)).
	return os.WriteFile("/proc/self/comm", []byte(args[0]), 0o644)
}

// memfd runs "sleep" from a copy in memory that has no file.
func memfd([]string) error {
	fd, err := unix.MemfdCreate("sample", 0) // no MFD_CLOEXEC, as the copy is run through it
	if err != nil {
		return fmt.Errorf("memfd_create: %w", err)
	}
	memory := os.NewFile(uintptr(fd), "memfd")
	defer memory.Close()
	file, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(memory, file); err != nil {
		return fmt.Errorf("copy to memory: %w", err)
	}
	return unix.Exec(fmt.Sprintf("/proc/self/fd/%d", fd), []string{"sample", "sleep"}, os.Environ())
}
