package collector

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

const cpuSecondsName = "cpu_seconds_total"

var (
	cpuSeconds = define("cpu", cpuSecondsName,
		"Seconds that all cores together spent in each mode, guests counted as user and nice; "+
			"0 in the modes that the operating system does not count.",
		prometheus.CounterValue, "mode")
	cpuLogicalProcessors = define("cpu", "cpu_logical_processors",
		"Logical cores that are online.", prometheus.GaugeValue)
)

// The modes of a core, in the order of proc_stat(5).
const (
	cpuUser = iota
	cpuNice
	cpuSystem
	cpuIdle
	cpuIOWait
	cpuIRQ
	cpuSoftIRQ
	cpuSteal
	cpuModes
)

func cpuModeNames() [cpuModes]string {
	return [cpuModes]string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}
}

// cpuTimes is the time of one core in each mode, in ticks. Integers add up to
// the same sum in whatever order; a float sum can fall by its last digit, and
// Prometheus would take that for a restart of the counter.
type cpuTimes [cpuModes]int64

const (
	// cpuTicksPerSecond is USER_HZ, the unit of /proc/stat on every
	// architecture that procfs supports, and fine enough for the others.
	cpuTicksPerSecond = 100
	// cpuMaxTicks, 350,000 years, keeps nonsense out of the sums: kernels
	// have been seen to report a steal time below zero as a huge number.
	cpuMaxTicks = 1 << 50
	// cpuMaxSlip is how far, in ticks, a counter may fall and still be
	// thought to catch up. A core that comes back online falls further.
	cpuMaxSlip = 3 * cpuTicksPerSecond
)

// cpuTicks converts seconds to ticks.
func cpuTicks(seconds float64) int64 {
	ticks := math.Round(seconds * cpuTicksPerSecond)
	if !(ticks > 0) { // also NaN
		return 0
	}
	return int64(min(ticks, cpuMaxTicks))
}

// cpuCounter is one mode of one core, made so that it never falls.
//
// The kernel's own numbers do fall: iowait and idle are estimates that are
// corrected afterwards (proc_stat(5) on iowait), and some kernels clear them
// when a core goes offline.
type cpuCounter struct {
	// shown is the highest value ever shown.
	shown int64
	// offset is what was shown beyond the kernel's present count.
	offset int64
}

// observe takes the kernel's count and returns the one to show. After a small
// step back the counter waits for the kernel to catch up. After a large one it
// goes on from where it was: whether the kernel began anew or counts otherwise
// now cannot be known, and to add its whole count could invent years.
func (c *cpuCounter) observe(ticks int64) int64 {
	value := c.offset + ticks
	switch {
	case value >= c.shown:
		c.shown = value
	case c.shown-value >= cpuMaxSlip:
		c.offset += c.shown - value
	}
	return c.shown
}

type cpuCollector struct {
	// read returns the times of the cores that are online, by number.
	read    func(context.Context) (map[int]cpuTimes, error)
	seconds metric
	perCore bool

	mu sync.Mutex
	// cores holds every core ever seen: one that is offline keeps its part
	// in the sum.
	cores map[int]*[cpuModes]cpuCounter
}

// NewCPU makes the collector of processor time, summed over the cores or for
// each of them.
func NewCPU(paths Paths, perCore bool) (Collector, error) {
	read, err := newCPUReader(paths)
	if err != nil {
		return nil, fmt.Errorf("cpu collector: %w", err)
	}
	return newCPU(read, perCore), nil
}

func newCPU(read func(context.Context) (map[int]cpuTimes, error), perCore bool) *cpuCollector {
	c := &cpuCollector{read: read, seconds: cpuSeconds, perCore: perCore, cores: map[int]*[cpuModes]cpuCounter{}}
	if perCore {
		c.seconds = cpuSecondsPerCore()
	}
	return c
}

// cpuSecondsPerCore describes the family with one more label. It takes the
// place of the sum: one family cannot have two sets of labels.
func cpuSecondsPerCore() metric {
	return newMetric(cpuSecondsName,
		"Seconds that each core spent in each mode, guests counted as user and nice; "+
			"0 in the modes that the operating system does not count.",
		prometheus.CounterValue, "cpu", "mode")
}

// Update implements [Collector].
func (c *cpuCollector) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	online, sum, err := c.observe(ctx)
	if err != nil {
		return err
	}
	cpuLogicalProcessors.send(ch, float64(len(online)))
	if !c.perCore {
		c.send(ch, sum)
		return nil
	}
	for _, core := range slices.Sorted(maps.Keys(online)) {
		c.send(ch, online[core], strconv.Itoa(core))
	}
	return nil
}

// send publishes all modes, labels going before the mode.
func (c *cpuCollector) send(ch chan<- prometheus.Metric, times cpuTimes, labels ...string) {
	for mode, name := range cpuModeNames() {
		c.seconds.send(ch, float64(times[mode])/cpuTicksPerSecond, append(slices.Clip(labels), name)...)
	}
}

// observe reads all cores and returns what to show of those that are online,
// and the sum over all that ever were.
func (c *cpuCollector) observe(ctx context.Context) (online map[int]cpuTimes, sum cpuTimes, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	online, err = c.read(ctx)
	if err != nil {
		return nil, sum, err
	}
	for core, times := range online {
		counters := c.cores[core]
		if counters == nil {
			counters = new([cpuModes]cpuCounter)
			c.cores[core] = counters
		}
		for mode := range counters {
			times[mode] = counters[mode].observe(times[mode])
		}
		online[core] = times
	}
	for _, counters := range c.cores {
		for mode := range counters {
			sum[mode] += counters[mode].shown
		}
	}
	return online, sum, nil
}
