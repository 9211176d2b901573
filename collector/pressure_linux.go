package collector

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/prometheus/procfs"
)

// newPressureReader reads /proc/pressure (Documentation/accounting/psi.rst).
func newPressureReader(paths Paths) (func() ([]pressureSample, error), error) {
	proc, err := procfs.NewFS(paths.Proc)
	if err != nil {
		return nil, fmt.Errorf("open procfs: %w", err)
	}
	return func() ([]pressureSample, error) { return readPressure(proc.PSIStatsForResource) }, nil
}

// readPressure reads every resource that the kernel has. There is nothing to
// wait for all processors at once, so the line "full" of cpu means nothing
// and is left out.
func readPressure(stats func(resource string) (procfs.PSIStats, error)) ([]pressureSample, error) {
	var samples []pressureSample
	for resource, metrics := range map[string]struct{ waiting, stalled metric }{
		"cpu":    {waiting: pressureCPUWaiting},
		"memory": {pressureMemoryWaiting, pressureMemoryStalled},
		"io":     {pressureIOWaiting, pressureIOStalled},
	} {
		psi, err := stats(resource)
		if pressureAbsent(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", resource, err)
		}
		if psi.Some == nil {
			return nil, fmt.Errorf("%s: no line \"some\"", resource)
		}
		samples = append(samples, pressureSample{metrics.waiting, pressureSeconds(psi.Some)})
		if metrics.stalled.desc != nil && psi.Full != nil {
			samples = append(samples, pressureSample{metrics.stalled, pressureSeconds(psi.Full)})
		}
	}
	if len(samples) == 0 {
		return nil, ErrNoData
	}
	return samples, nil
}

// pressureAbsent tells a kernel without pressure information (no such file)
// and one where it is off (psi=0, the default of RHEL: the files are there,
// but opening them fails with EOPNOTSUPP) from a real failure.
func pressureAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EOPNOTSUPP)
}

// pressureSeconds converts the kernel's microseconds.
func pressureSeconds(line *procfs.PSILine) float64 { return float64(line.Total) / 1e6 }
