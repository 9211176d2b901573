package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// programs is where the programs of the population lie: a file system in
// memory that only the namespace of the run shows. The catalogue knows some
// programs there.
const programs = "/usr/local/bin"

// openFiles is how many descriptors each program may have: a process takes
// server-monitor three.
const openFiles = 1 << 17

// enterNamespaces runs the same command as the first process of namespaces of
// its own, and waits for it.
func enterNamespaces() error {
	if os.Geteuid() != 0 {
		return errors.New("it takes root: to make namespaces and processes of several users")
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of descriptors: %w", err)
	}
	limit.Cur, limit.Max = openFiles, max(openFiles, limit.Max)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Printf("the limit of descriptors cannot be raised to %d: %v\n", openFiles, err)
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		Unshareflags: unix.CLONE_NEWNS, // nothing mounted there is seen outside
		Pdeathsig:    unix.SIGKILL,
	}
	err := cmd.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(max(1, ended.ExitCode()))
	}
	return err
}

// prepareNamespaces gives the namespaces a /proc, the programs of the
// population and a network interface.
func prepareNamespaces() error {
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", programs, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount %s: %w", programs, err)
	}
	for name, source := range map[string]string{knownWorker: own, unknownSleeper: "/bin/sleep"} {
		if err := copyProgram(source, filepath.Join(programs, name)); err != nil {
			return err
		}
	}
	return exec.Command("ip", "link", "set", "lo", "up").Run()
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
