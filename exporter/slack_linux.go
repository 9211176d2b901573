package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// timerSlack is how much later than asked the kernel may wake a thread up, in
// nanoseconds. The thread of Go's runtime that watches the others asks for 20 µs
// over and over while there is work, and at the usual 50 µs that took a tenth of
// the processor time of a scrape. A millisecond is nothing that a program waits
// for here.
const timerSlack = 1_000_000

// slackenTimers lets the kernel take that time with the threads that there are
// (proc_pid_timerslack_ns(5)); later ones inherit it. For threads other than this
// one it takes CAP_SYS_NICE. Without, a service manager can do the same by
// TimerSlackNSec=. What cannot be done is left.
func slackenTimers() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, thread := range threads {
		_ = os.WriteFile("/proc/"+thread.Name()+"/timerslack_ns", strconv.AppendInt(nil, timerSlack, 10), 0)
	}
}
