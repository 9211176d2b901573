package terminate

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"server-monitor/internal/process"
)

// maxAncestors bounds the way up to pid 1; nobody nests deeper.
const maxAncestors = 1024

// ReadHost reads what the guards compare with. What cannot be read is left
// empty, and the guards refuse for want of it.
func ReadHost(config process.Config) *Host {
	root := config.Root
	if root == "" {
		root = "/"
	}
	h := &Host{Login: DefaultLogin, Self: os.Getpid()}
	if text, err := os.ReadFile(filepath.Join(root, "etc/login.defs")); err == nil {
		h.Login = parseLoginDefs(text)
	}
	// The folder exists where systemd is the init system (sd_booted(3)).
	_, err := os.Stat(filepath.Join(root, "run/systemd/system"))
	h.Systemd = err == nil
	h.Namespaces.Mount = namespaceOf(config.Proc, 1, "mnt")
	h.Namespaces.PID = namespaceOf(config.Proc, 1, "pid")
	h.Ancestors = ancestors(config.Proc, os.Getppid())
	if err := ownProc(config.Proc); err != nil {
		obstacle := reasonForeignProc.with(err.Error())
		h.Obstacle = &obstacle
	}
	return h
}

// namespaceOf reads the number of a namespace of a process, 0 where it cannot
// be read.
func namespaceOf(proc string, pid int, kind string) uint64 {
	var number uint64
	link, err := os.Readlink(filepath.Join(proc, strconv.Itoa(pid), "ns", kind))
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscanf(link, kind+":[%d]", &number); err != nil {
		return 0
	}
	return number
}

// ancestors walks from a parent up to the first process.
func ancestors(proc string, pid int) []int {
	var found []int
	for pid > 0 && len(found) < maxAncestors {
		found = append(found, pid)
		text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
		if err != nil {
			return found
		}
		pid = parentOf(text)
	}
	return found
}

// parentOf reads the pid of the parent from the text of /proc/PID/stat
// (proc_pid_stat(5)), 0 where there is none. The name before it may hold any
// byte, a ')' too.
func parentOf(stat []byte) int {
	var state byte
	var parent int
	end := len(stat) - 1
	for end >= 0 && stat[end] != ')' {
		end--
	}
	if _, err := fmt.Sscanf(string(stat[end+1:]), " %c %d", &state, &parent); err != nil {
		return 0
	}
	return parent
}

// ownProc tells whether procfs is that of our own pid namespace: the pids that
// it shows are otherwise not those that signals go to.
func ownProc(proc string) error {
	link, err := os.Readlink(filepath.Join(proc, "self"))
	if err != nil {
		return err
	}
	if own := strconv.Itoa(os.Getpid()); link != own {
		return fmt.Errorf("%s/self is %s, our pid is %s", proc, link, own)
	}
	return nil
}
