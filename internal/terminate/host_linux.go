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
	first := filepath.Join(config.Proc, "1")
	h.Namespaces.Mount = namespaceAt(first, "mnt")
	h.Namespaces.PID = namespaceAt(first, "pid")
	h.Boot = bootOf(config.Proc)
	h.Obstacle = obstacle(process.CanHandle(config))
	return h
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
