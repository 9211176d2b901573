//go:build !linux

package collector

import (
	"context"
	"errors"
	"fmt"

	"github.com/shirou/gopsutil/v4/cpu"
)

// newCPUReader asks the operating system; there is nothing to redirect.
func newCPUReader(Paths) (func(context.Context) (map[int]cpuTimes, error), error) {
	return func(ctx context.Context) (map[int]cpuTimes, error) {
		stats, err := cpu.TimesWithContext(ctx, true)
		if err != nil {
			return nil, fmt.Errorf("read processor times: %w", err)
		}
		if len(stats) == 0 {
			return nil, errors.New("read processor times: no core")
		}
		cores := make(map[int]cpuTimes, len(stats))
		for core, t := range stats {
			cores[core] = cpuTimes{
				cpuUser:    cpuTicks(t.User),
				cpuNice:    cpuTicks(t.Nice),
				cpuSystem:  cpuTicks(cpuSystemSeconds(t)),
				cpuIdle:    cpuTicks(t.Idle),
				cpuIOWait:  cpuTicks(t.Iowait),
				cpuIRQ:     cpuTicks(t.Irq),
				cpuSoftIRQ: cpuTicks(t.Softirq),
				cpuSteal:   cpuTicks(t.Steal),
			}
		}
		return cores, nil
	}, nil
}
