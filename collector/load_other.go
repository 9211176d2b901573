//go:build !linux && !windows

package collector

import (
	"context"

	"github.com/shirou/gopsutil/v4/load"
)

// newLoadReader asks the kernel, as getloadavg(3) does.
func newLoadReader(Paths) (func(context.Context) (loadAverages, error), error) {
	return func(ctx context.Context) (loadAverages, error) {
		average, err := load.AvgWithContext(ctx)
		if err != nil {
			return loadAverages{}, err
		}
		return loadAverages{average.Load1, average.Load5, average.Load15}, nil
	}, nil
}
