package terminate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

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
	h := &Host{Login: DefaultLogin, Self: os.Getpid(), Ancestors: ancestors(config.Proc, os.Getppid())}
	if text, err := os.ReadFile(filepath.Join(root, "etc/login.defs")); err == nil {
		h.Login = parseLoginDefs(text)
	}
	// The folder exists where systemd is the init system (sd_booted(3)).
	_, err := os.Stat(filepath.Join(root, "run/systemd/system"))
	h.Systemd = err == nil
	h.Namespaces = hostNamespaces(config.Proc)
	h.Boot = bootOf(config.Proc)
	h.Obstacle = obstacle(process.CanHandle(config))
	return h
}

// hostNamespaces are those of the first process. Where that may not be looked
// at, they are our own: a process that shares them is on the host if we are,
// and all others are refused.
func hostNamespaces(proc string) process.Namespaces {
	for _, name := range [...]string{"1", "self"} {
		folder := filepath.Join(proc, name)
		ns := process.Namespaces{Mount: namespaceAt(folder, "mnt"), PID: namespaceAt(folder, "pid")}
		if ns.Mount != 0 && ns.PID != 0 {
			return ns
		}
	}
	return process.Namespaces{}
}

// bootOf reads the boot id as identities have it, empty where it cannot be read.
func bootOf(proc string) string {
	text, err := os.ReadFile(filepath.Join(proc, "sys/kernel/random/boot_id"))
	id := strings.ReplaceAll(strings.TrimSpace(string(text)), "-", "")
	if err != nil || len(id) < 8 {
		return ""
	}
	return id[:8]
}

// obstacle gives the reason why nothing can be ended, nil without an error.
func obstacle(err error) *Reason {
	if err == nil {
		return nil
	}
	reason := reasonNoPidfd
	if errors.Is(err, process.ErrForeignProc) {
		reason = reasonForeignProc
	}
	reason = reason.with(err.Error())
	return &reason
}

// ancestors walks from a parent up to the first process.
func ancestors(proc string, pid int) []int {
	var found []int
	for pid > 0 && len(found) < maxAncestors {
		found = append(found, pid)
		s, err := readStat(proc, pid)
		if err != nil {
			return found
		}
		pid = s.parent
	}
	return found
}
