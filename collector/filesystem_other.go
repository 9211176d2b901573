//go:build !linux

package collector

import (
	"context"
	"fmt"
	"slices"

	"github.com/shirou/gopsutil/v4/disk"
)

// newMountLister asks the operating system; there is nothing to redirect.
func newMountLister(Paths) (func(context.Context) ([]mount, error), error) {
	return listMounts, nil
}

// listMounts lists volumes. An error that comes with a list speaks of single
// volumes that could not be read; the others are worth having.
func listMounts(ctx context.Context) ([]mount, error) {
	partitions, err := disk.PartitionsWithContext(ctx, true)
	if err != nil && len(partitions) == 0 {
		return nil, err
	}
	var mounts []mount
	for _, p := range partitions {
		if p.Mountpoint == "" { // a drive without a medium
			continue
		}
		mounts = append(mounts, mount{
			device:   p.Device,
			fsType:   p.Fstype,
			point:    p.Mountpoint,
			path:     p.Mountpoint,
			readOnly: slices.Contains(p.Opts, "ro"),
		})
	}
	return mounts, nil
}

// usageOf asks the operating system. It may never return.
func usageOf(path string) (usage, error) {
	stat, err := disk.Usage(path)
	if err != nil {
		return usage{}, fmt.Errorf("disk usage: %w", err)
	}
	available := stat.Free
	if available > stat.Total {
		// The BSDs count below zero once root uses what is kept for it.
		available = 0
	}
	return usage{
		size:      stat.Total,
		available: available,
		used:      stat.Used,
		files:     stat.InodesTotal,
		filesFree: stat.InodesFree,
	}, nil
}
