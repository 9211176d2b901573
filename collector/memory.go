package collector

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	memoryTotal = define("memory", "memory_total_bytes",
		"Physical memory that the kernel can use, in bytes.", prometheus.GaugeValue)
	memoryAvailable = define("memory", "memory_available_bytes",
		"Memory that programs can still get without swapping, in bytes; "+
			"estimated as free + buffers + cached on kernels before Linux 3.14.", prometheus.GaugeValue)
	memoryUsed = define("memory", "memory_used_bytes",
		"Memory that is not available, in bytes: total - available.", prometheus.GaugeValue)
	memoryBuffers = define("memory", "memory_buffers_bytes",
		"Memory that buffers raw disk blocks, in bytes.", prometheus.GaugeValue)
	memoryCached = define("memory", "memory_cached_bytes",
		"Memory of the page cache, shared memory and tmpfs included, in bytes.", prometheus.GaugeValue)
	swapTotal = define("memory", "swap_total_bytes",
		"Size of all swap areas, in bytes; 0 without swap.", prometheus.GaugeValue)
	swapUsed = define("memory", "swap_used_bytes",
		"Swap space in use, in bytes.", prometheus.GaugeValue)
)

// memoryStats is one reading, in bytes. What is nil is unknown.
type memoryStats struct {
	total, available    uint64
	buffers, cached     *uint64
	swapTotal, swapUsed *uint64
}

type memoryCollector struct {
	read func(context.Context) (memoryStats, error)
}

// NewMemory makes the collector of physical memory and swap.
func NewMemory(paths Paths) (Collector, error) {
	read, err := newMemoryReader(paths)
	if err != nil {
		return nil, fmt.Errorf("memory collector: %w", err)
	}
	return memoryCollector{read: read}, nil
}

// Update implements [Collector].
func (c memoryCollector) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	stats, err := c.read(ctx)
	if err != nil {
		return fmt.Errorf("read memory: %w", err)
	}
	memoryTotal.send(ch, float64(stats.total))
	memoryAvailable.send(ch, float64(stats.available))
	memoryUsed.send(ch, float64(difference(stats.total, stats.available)))
	sendKnown(ch, memoryBuffers, stats.buffers)
	sendKnown(ch, memoryCached, stats.cached)
	sendKnown(ch, swapTotal, stats.swapTotal)
	sendKnown(ch, swapUsed, stats.swapUsed)
	return nil
}

func sendKnown(ch chan<- prometheus.Metric, m metric, value *uint64) {
	if value != nil {
		m.send(ch, float64(*value))
	}
}

// difference is a - b, or 0 where b is more: the two were read one after the
// other, and containers are shown numbers that do not belong together.
func difference(a, b uint64) uint64 {
	if b > a {
		return 0
	}
	return a - b
}
