package collector

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// self publishes what the program itself takes, under the names that programs
// with Prometheus' client library have in common. The collector of that library
// takes 0.35 ms, most of it to read what the whole machine sends and receives,
// which is left out here.
type self struct {
	started float64 // in seconds since the epoch
	page    float64
}

var (
	selfCPU        = describeSelf("cpu_seconds_total", "Total user and system CPU time spent in seconds.")
	selfFDs        = describeSelf("open_fds", "Number of open file descriptors.")
	selfMaxFDs     = describeSelf("max_fds", "Maximum number of open file descriptors.")
	selfVirtual    = describeSelf("virtual_memory_bytes", "Virtual memory size in bytes.")
	selfMaxVirtual = describeSelf("virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.")
	selfResident   = describeSelf("resident_memory_bytes", "Resident memory size in bytes.")
	selfStarted    = describeSelf("start_time_seconds", "Start time of the process since unix epoch in seconds.")
)

func describeSelf(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("process_"+name, help, nil, nil)
}

// NewSelf makes the collector of what the program itself takes.
func NewSelf() prometheus.Collector {
	s := &self{page: float64(os.Getpagesize())}
	if own, err := procfs.Self(); err == nil {
		if stat, err := own.Stat(); err == nil {
			s.started, _ = stat.StartTime() // 0 where it cannot be told is left out
		}
	}
	return s
}

// Describe implements [prometheus.Collector].
func (s *self) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(s, ch) }

// Collect implements [prometheus.Collector]. What cannot be read is left out.
func (s *self) Collect(ch chan<- prometheus.Metric) {
	gauge := func(of *prometheus.Desc, value float64) {
		ch <- prometheus.MustNewConstMetric(of, prometheus.GaugeValue, value)
	}
	var spent unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &spent) == nil {
		ch <- prometheus.MustNewConstMetric(selfCPU, prometheus.CounterValue, time.Duration(spent.Nano()).Seconds())
	}
	if n, err := countOwnFDs(); err == nil {
		gauge(selfFDs, float64(n))
	}
	for resource, of := range map[int]*prometheus.Desc{unix.RLIMIT_NOFILE: selfMaxFDs, unix.RLIMIT_AS: selfMaxVirtual} {
		var limit unix.Rlimit
		if unix.Getrlimit(resource, &limit) == nil {
			gauge(of, float64(limit.Cur))
		}
	}
	if size, resident, err := ownMemory(); err == nil {
		gauge(selfVirtual, float64(size)*s.page)
		gauge(selfResident, float64(resident)*s.page)
	}
	if s.started > 0 {
		gauge(selfStarted, s.started)
	}
}

// ownMemory reads the first two numbers of /proc/self/statm, in pages
// (proc_pid_statm(5)).
func ownMemory() (size, resident uint64, err error) {
	err = readProc("/proc/self/statm", func(text []byte) error {
		first, rest := field(text)
		second, _ := field(rest)
		var ok1, ok2 bool
		size, ok1 = number64(first)
		resident, ok2 = number64(second)
		if !ok1 || !ok2 {
			return fmt.Errorf("no numbers of pages: %.40q", text)
		}
		return nil
	})
	return size, resident, err
}

// countOwnFDs counts the open descriptors: since Linux 6.2 that is the size of
// the folder, before it has to be listed.
func countOwnFDs() (int, error) {
	const folder = "/proc/self/fd"
	var info unix.Stat_t
	if err := unix.Stat(folder, &info); err != nil || info.Size > 0 {
		return int(info.Size), err
	}
	opened, err := os.Open(folder)
	if err != nil {
		return 0, err
	}
	names, err := opened.Readdirnames(-1)
	return len(names) - 1, errors.Join(err, opened.Close()) // without the one that lists
}
