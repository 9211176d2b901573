package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// newCPUReader reads the lines "cpuN" of /proc/stat (proc_stat(5)), which
// stand there for the cores that are online. Guest time is left out as user
// and nice hold it already.
func newCPUReader(paths Paths) (func(context.Context) (map[int]cpuTimes, error), error) {
	if err := openProc(paths); err != nil {
		return nil, err
	}
	path := filepath.Join(paths.Proc, "stat")
	return func(context.Context) (cores map[int]cpuTimes, err error) {
		err = readProc(path, func(text []byte) (err error) {
			cores, err = parseCPUTimes(text)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read processor times: %w", err)
		}
		return cores, nil
	}, nil
}

// parseCPUTimes reads the lines of the cores, which come first.
func parseCPUTimes(text []byte) (map[int]cpuTimes, error) {
	cores := make(map[int]cpuTimes)
	for line := range bytes.Lines(text) {
		line, ok := bytes.CutPrefix(line, []byte("cpu"))
		if !ok {
			break
		}
		name, rest := field(line)
		if bytes.HasPrefix(line, []byte(" ")) { // all cores together
			continue
		}
		core, ok := number64(name)
		if !ok || core > 1<<20 {
			return nil, fmt.Errorf("no number of a core: %.20q", name)
		}
		times, err := parseTicks(rest)
		if err != nil {
			return nil, fmt.Errorf("core %d: %w", core, err)
		}
		cores[int(core)] = times
	}
	if len(cores) == 0 {
		return nil, errors.New("no core in stat")
	}
	return cores, nil
}

// parseTicks reads the times of one core. Old kernels have fewer of them.
func parseTicks(rest []byte) (times cpuTimes, err error) {
	for mode := range times {
		var word []byte
		if word, rest = field(rest); len(word) == 0 {
			return times, nil
		}
		if word[0] == '-' { // a counter that has passed zero
			continue
		}
		ticks, ok := number64(word)
		if !ok {
			return times, fmt.Errorf("no number of ticks: %.20q", word)
		}
		times[mode] = int64(min(ticks, cpuMaxTicks))
	}
	return times, nil
}
