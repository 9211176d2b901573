package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// newMemoryReader reads /proc/meminfo (proc_meminfo(5)).
func newMemoryReader(paths Paths) (func(context.Context) (memoryStats, error), error) {
	if err := openProc(paths); err != nil {
		return nil, err
	}
	path := filepath.Join(paths.Proc, "meminfo")
	return func(context.Context) (stats memoryStats, err error) {
		err = readProc(path, func(text []byte) error {
			info, err := parseMeminfo(text)
			if err == nil {
				stats, err = memoryFromMeminfo(info)
			}
			return err
		})
		return stats, err
	}, nil
}

// meminfo is what is wanted of that file, in bytes. What is not there is nil.
type meminfo struct {
	total, free, available, buffers, cached, swapTotal, swapFree *uint64
}

// of is where the value of a line goes, nil where nobody wants it.
func (i *meminfo) of(name string) **uint64 {
	switch name {
	case "MemTotal:":
		return &i.total
	case "MemFree:":
		return &i.free
	case "MemAvailable:":
		return &i.available
	case "Buffers:":
		return &i.buffers
	case "Cached:":
		return &i.cached
	case "SwapTotal:":
		return &i.swapTotal
	case "SwapFree:":
		return &i.swapFree
	}
	return nil
}

func parseMeminfo(text []byte) (info meminfo, err error) {
	values := make([]uint64, 0, 7)
	for line := range bytes.Lines(text) {
		name, rest := field(line)
		at := info.of(string(name))
		if at == nil || *at != nil {
			continue
		}
		word, _ := field(rest)
		kib, ok := number64(word)
		if !ok || kib > 1<<53 {
			return meminfo{}, fmt.Errorf("%s no number of KiB: %.20q", name, word)
		}
		values = append(values, kib<<10)
		*at = &values[len(values)-1]
	}
	return info, nil
}

func memoryFromMeminfo(info meminfo) (memoryStats, error) {
	if info.total == nil {
		return memoryStats{}, errors.New("no MemTotal in meminfo")
	}
	available, err := availableMemory(info)
	if err != nil {
		return memoryStats{}, err
	}
	stats := memoryStats{
		total:     *info.total,
		available: available,
		buffers:   info.buffers,
		cached:    info.cached,
		swapTotal: info.swapTotal,
	}
	if info.swapTotal != nil && info.swapFree != nil {
		used := difference(*info.swapTotal, *info.swapFree)
		stats.swapUsed = &used
	}
	return stats, nil
}

// availableMemory is MemAvailable, or what came nearest to it before Linux
// 3.14 had it.
func availableMemory(info meminfo) (uint64, error) {
	if info.available != nil {
		return *info.available, nil
	}
	if info.free == nil {
		return 0, errors.New("neither MemAvailable nor MemFree in meminfo")
	}
	sum := *info.free
	for _, part := range []*uint64{info.buffers, info.cached} {
		if part != nil {
			sum += *part
		}
	}
	return min(sum, *info.total), nil
}
