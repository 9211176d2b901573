//go:build !linux

package collector

import (
	"context"

	"github.com/shirou/gopsutil/v4/mem"
)

// newMemoryReader asks the operating system; there is nothing to redirect.
func newMemoryReader(Paths) (func(context.Context) (memoryStats, error), error) {
	return readMemory, nil
}

func readMemory(ctx context.Context) (memoryStats, error) {
	memory, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return memoryStats{}, err
	}
	stats := memoryStats{
		total:     memory.Total,
		available: memory.Available,
		buffers:   counted(memory.Buffers),
		cached:    counted(memory.Cached),
	}
	// Swap comes from another source, on Windows from performance counters
	// that can be switched off. Memory matters more than that it is whole.
	if swap, err := mem.SwapMemoryWithContext(ctx); err == nil {
		stats.swapTotal, stats.swapUsed = &swap.Total, &swap.Used
	}
	return stats, nil
}

// counted tells a number from the 0 that gopsutil leaves where the operating
// system counts no such thing.
func counted(bytes uint64) *uint64 {
	if bytes == 0 {
		return nil
	}
	return &bytes
}
