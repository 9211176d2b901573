package collector

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/procfs"
)

// newCPUReader reads the lines "cpuN" of /proc/stat (proc_stat(5)), which
// stand there for the cores that are online. Guest time is left out as user
// and nice hold it already.
func newCPUReader(paths Paths) (func(context.Context) (map[int]cpuTimes, error), error) {
	fs, err := procfs.NewFS(paths.Proc)
	if err != nil {
		return nil, fmt.Errorf("open procfs: %w", err)
	}
	return func(context.Context) (map[int]cpuTimes, error) {
		stat, err := fs.Stat()
		if err != nil {
			return nil, fmt.Errorf("read processor times: %w", err)
		}
		if len(stat.CPU) == 0 {
			return nil, errors.New("read processor times: no core in stat")
		}
		cores := make(map[int]cpuTimes, len(stat.CPU))
		for core, t := range stat.CPU {
			cores[int(core)] = cpuTimes{
				cpuUser:    cpuTicks(t.User),
				cpuNice:    cpuTicks(t.Nice),
				cpuSystem:  cpuTicks(t.System),
				cpuIdle:    cpuTicks(t.Idle),
				cpuIOWait:  cpuTicks(t.Iowait),
				cpuIRQ:     cpuTicks(t.IRQ),
				cpuSoftIRQ: cpuTicks(t.SoftIRQ),
				cpuSteal:   cpuTicks(t.Steal),
			}
		}
		return cores, nil
	}, nil
}
