package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuOf tells the processor time that a process has spent, its threads that
// have ended among them, to the nanosecond: by the clock of the process
// (clock_getcpuclockid(3)).
func cpuOf(pid int) (time.Duration, error) {
	const schedulerClock = 2 // CPUCLOCK_SCHED, linux/include/linux/posix-timers_types.h
	var spent unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|schedulerClock, &spent); err != nil {
		return 0, fmt.Errorf("clock of process %d: %w", pid, err)
	}
	return time.Duration(spent.Nano()), nil
}

// residentOf tells the resident memory of a process, now and at its highest, in
// bytes.
func residentOf(pid int) (now, peak uint64, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "VmRSS:":
			now = kib << 10
		case "VmHWM:":
			peak = kib << 10
		}
	}
	return now, peak, nil
}
