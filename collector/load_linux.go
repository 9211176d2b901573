package collector

import (
	"context"
	"fmt"

	"github.com/prometheus/procfs"
)

// newLoadReader reads /proc/loadavg (proc_loadavg(5)).
func newLoadReader(paths Paths) (func(context.Context) (loadAverages, error), error) {
	fs, err := procfs.NewFS(paths.Proc)
	if err != nil {
		return nil, fmt.Errorf("open procfs: %w", err)
	}
	return func(context.Context) (loadAverages, error) {
		load, err := fs.LoadAvg()
		if err != nil {
			return loadAverages{}, err
		}
		return loadAverages{load.Load1, load.Load5, load.Load15}, nil
	}, nil
}
