//go:build e2e

package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// prefix begins the names of all files that outlive a test which is killed.
const prefix = "server-monitor-e2e-"

// ownPrefix begins the names of files of this run.
func ownPrefix() string { return fmt.Sprintf("%s%d-", prefix, os.Getpid()) }

// removeLeftovers removes from a folder what runs have left behind that were
// killed. What belongs to a run that goes on stays.
func removeLeftovers(folder string) error {
	left, err := filepath.Glob(filepath.Join(folder, prefix+"*-*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		if isAlive(path) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove what an earlier run left: %w", err)
		}
	}
	return nil
}

// isAlive tells whether the run that made a file goes on.
func isAlive(path string) bool {
	number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), prefix), "-")
	pid, err := strconv.Atoi(number)
	return err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
