package terminate

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"server-monitor/internal/process"
)

// stat is what is needed of /proc/PID/stat (proc_pid_stat(5)) of processes that
// are not held: children and ancestors.
type stat struct {
	comm   string
	state  process.State
	parent int
	start  uint64
}

var errStat = errors.New("stat: not in the form of proc_pid_stat(5)")

func readStat(proc string, pid int) (stat, error) {
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, err
	}
	return parseStat(text)
}

// parseStat reads the text of the file. The name in it is between the first
// '(' and the last ')': it may hold any byte itself.
func parseStat(text []byte) (stat, error) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return stat{}, errStat
	}
	fields := bytes.Fields(text[end+1:]) // from field 3 on
	if len(fields) < 20 || len(fields[0]) != 1 {
		return stat{}, errStat
	}
	parent, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return stat{}, fmt.Errorf("%w: %w", errStat, err)
	}
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("%w: %w", errStat, err)
	}
	return stat{string(text[open+1 : end]), process.State(fields[0][0]), parent, start}, nil
}

// namespaceAt reads the number of a namespace (namespaces(7)) of the process
// that a folder of procfs is of, 0 where it cannot be read.
func namespaceAt(folder, kind string) uint64 {
	link, err := os.Readlink(filepath.Join(folder, "ns", kind))
	if err != nil {
		return 0
	}
	digits, _ := between(link, kind+":[", "]")
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return number
}
