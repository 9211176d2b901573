package process

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// userHZ is how many ticks stat counts in a second: 100 on every architecture
// that Go runs on (USER_HZ, linux/include/asm-generic/param.h).
const userHZ = 100

// bootID reads the first eight digits of the id that each boot has.
func bootID(proc string) (string, error) {
	text, err := os.ReadFile(filepath.Join(proc, "sys/kernel/random/boot_id"))
	if err != nil {
		return "", fmt.Errorf("boot id: %w", err)
	}
	id := strings.ReplaceAll(strings.TrimSpace(string(text)), "-", "")
	if len(id) < 8 || !isBoot(id[:8]) {
		return "", fmt.Errorf("boot id: %q is not one", id)
	}
	return id[:8], nil
}

// bootTime tells when the machine started by its clock of now. It moves only
// when that clock is set: start times would otherwise tremble with every
// correction of NTP.
func (r *Reader) bootTime() (time.Time, error) {
	if !r.real {
		return bootTimeOfStat(filepath.Join(r.config.Proc, "stat"))
	}
	var since unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &since); err != nil {
		return time.Time{}, fmt.Errorf("time since boot: %w", err)
	}
	boot := time.Now().Add(-time.Duration(since.Nano()))
	if math.Abs(boot.Sub(r.boot).Seconds()) < 1 {
		return r.boot, nil
	}
	return boot.Truncate(10 * time.Millisecond), nil
}

// bootTimeOfStat reads the line btime of /proc/stat (proc_stat(5)).
func bootTimeOfStat(path string) (time.Time, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, fmt.Errorf("boot time: %w", err)
	}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			seconds, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
			if err != nil {
				return time.Time{}, fmt.Errorf("boot time: %w", err)
			}
			return time.Unix(seconds, 0), nil
		}
	}
	return time.Time{}, errors.New("boot time: no btime in /proc/stat")
}

// memoryTotal reads MemTotal of /proc/meminfo, 0 where it cannot be read: no
// judgement but that of memory needs it.
func (r *Reader) memoryTotal() uint64 {
	text, err := r.readFile(r.proc, "meminfo", r.buffer)
	if err != nil {
		return 0
	}
	return parseMemoryTotal(text)
}

// parseMemoryTotal reads the first line of meminfo (proc_meminfo(5)), in bytes.
func parseMemoryTotal(text []byte) uint64 {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) != 3 || string(fields[0]) != "MemTotal:" || string(fields[2]) != "kB" {
		return 0
	}
	kib, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return kib * 1024
}
