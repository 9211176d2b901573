package collector

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// newPressureReader reads /proc/pressure (Documentation/accounting/psi.rst).
func newPressureReader(paths Paths) (func() ([]pressureSample, error), error) {
	if err := openProc(paths); err != nil {
		return nil, err
	}
	folder := filepath.Join(paths.Proc, "pressure")
	return func() ([]pressureSample, error) {
		return readPressure(func(resource string) (totals pressureTotals, err error) {
			err = readProc(filepath.Join(folder, resource), func(text []byte) (err error) {
				totals, err = parsePressure(text)
				return err
			})
			return totals, err
		})
	}, nil
}

// pressureTotals are the totals of the lines "some" and "full" in microseconds,
// nil where a line is absent.
type pressureTotals struct{ some, full *uint64 }

// pressureResources are what there is pressure of, with what is told of each.
var pressureResources = []struct {
	name             string
	waiting, stalled metric
}{
	{name: "cpu", waiting: pressureCPUWaiting},
	{"memory", pressureMemoryWaiting, pressureMemoryStalled},
	{"io", pressureIOWaiting, pressureIOStalled},
}

// readPressure reads every resource that the kernel has. There is nothing to
// wait for all processors at once, so the line "full" of cpu means nothing
// and is left out.
func readPressure(read func(resource string) (pressureTotals, error)) ([]pressureSample, error) {
	var samples []pressureSample
	for _, r := range pressureResources {
		totals, err := read(r.name)
		if pressureAbsent(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		if totals.some == nil {
			return nil, fmt.Errorf("%s: no line \"some\"", r.name)
		}
		samples = append(samples, pressureSample{r.waiting, pressureSeconds(*totals.some)})
		if r.stalled.desc != nil && totals.full != nil {
			samples = append(samples, pressureSample{r.stalled, pressureSeconds(*totals.full)})
		}
	}
	if len(samples) == 0 {
		return nil, ErrNoData
	}
	return samples, nil
}

// parsePressure reads the totals, which stand at the end of the lines.
func parsePressure(text []byte) (totals pressureTotals, err error) {
	for line := range bytes.Lines(text) {
		name, rest := field(line)
		at := &totals.some
		switch string(name) {
		case "some":
		case "full":
			at = &totals.full
		default:
			continue
		}
		_, rest, found := bytes.Cut(rest, []byte(" total="))
		word, _ := field(rest)
		total, ok := number64(word)
		if !found || !ok {
			return pressureTotals{}, fmt.Errorf("no total in the line %q", name)
		}
		*at = &total
	}
	return totals, nil
}

// pressureAbsent tells a kernel without pressure information (no such file)
// and one where it is off (psi=0, the default of RHEL: the files are there,
// but opening them fails with EOPNOTSUPP) from a real failure.
func pressureAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EOPNOTSUPP)
}

// pressureSeconds converts the kernel's microseconds.
func pressureSeconds(total uint64) float64 { return float64(total) / 1e6 }
