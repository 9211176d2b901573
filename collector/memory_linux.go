package collector

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/procfs"
)

// newMemoryReader reads /proc/meminfo (proc_meminfo(5)).
func newMemoryReader(paths Paths) (func(context.Context) (memoryStats, error), error) {
	fs, err := procfs.NewFS(paths.Proc)
	if err != nil {
		return nil, fmt.Errorf("open procfs: %w", err)
	}
	return func(context.Context) (memoryStats, error) {
		info, err := fs.Meminfo()
		if err != nil {
			return memoryStats{}, err
		}
		return memoryFromMeminfo(info)
	}, nil
}

func memoryFromMeminfo(info procfs.Meminfo) (memoryStats, error) {
	if info.MemTotalBytes == nil {
		return memoryStats{}, errors.New("no MemTotal in meminfo")
	}
	available, err := availableMemory(info)
	if err != nil {
		return memoryStats{}, err
	}
	stats := memoryStats{
		total:     *info.MemTotalBytes,
		available: available,
		buffers:   info.BuffersBytes,
		cached:    info.CachedBytes,
		swapTotal: info.SwapTotalBytes,
	}
	if info.SwapTotalBytes != nil && info.SwapFreeBytes != nil {
		used := difference(*info.SwapTotalBytes, *info.SwapFreeBytes)
		stats.swapUsed = &used
	}
	return stats, nil
}

// availableMemory is MemAvailable, or what came nearest to it before Linux
// 3.14 had it.
func availableMemory(info procfs.Meminfo) (uint64, error) {
	if info.MemAvailableBytes != nil {
		return *info.MemAvailableBytes, nil
	}
	if info.MemFreeBytes == nil {
		return 0, errors.New("neither MemAvailable nor MemFree in meminfo")
	}
	sum := *info.MemFreeBytes
	for _, part := range []*uint64{info.BuffersBytes, info.CachedBytes} {
		if part != nil {
			sum += *part
		}
	}
	return min(sum, *info.MemTotalBytes), nil
}
