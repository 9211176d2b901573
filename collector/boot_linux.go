package collector

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/procfs"
)

// newBootReader reads the line "btime" of /proc/stat (proc_stat(5)).
func newBootReader(paths Paths) (func(context.Context) (uint64, error), error) {
	fs, err := procfs.NewFS(paths.Proc)
	if err != nil {
		return nil, fmt.Errorf("open procfs: %w", err)
	}
	return func(context.Context) (uint64, error) {
		stat, err := fs.Stat()
		if err != nil {
			return 0, err
		}
		if stat.BootTime == 0 {
			return 0, errors.New("no btime in stat")
		}
		return stat.BootTime, nil
	}, nil
}
