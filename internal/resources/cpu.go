package resources

import "time"

// coreTimes are the seconds of a core, or of all of them together, by mode.
type coreTimes map[string]map[string]float64

// oldest is how old a reading may be for the next one to be compared with it:
// an average over hours would be taken for what happens now.
const oldest = 5 * time.Minute

// coreTimes reads the times of the cores, by the label that there is with
// --collector.cpu.per-core.
func (f families) coreTimes() coreTimes {
	times := make(coreTimes)
	for _, m := range f.samples(cpuSeconds) {
		core := label(m, "cpu")
		if times[core] == nil {
			times[core] = make(map[string]float64)
		}
		times[core][label(m, "mode")] = valueOf(m)
	}
	return times
}

// cpu compares two readings.
func (f families) cpu(before, now coreTimes, between time.Duration) CPU {
	c := CPU{Ratio: busy(before, now)}
	if cores := whole(f.number(cpuCores)); cores != nil {
		n := int(*cores)
		c.Cores = &n
	}
	if between <= 0 || between > oldest {
		c.Ratio = nil
	}
	if c.Ratio != nil {
		seconds := between.Seconds()
		c.IntervalSeconds = &seconds
	}
	c.Health = ratioColour(c.Ratio)
	return c
}

// busy is the part of the time between two readings that the cores in both of
// them worked; nil where no time passed or a counter fell.
func busy(before, now coreTimes) *float64 {
	var all, idle float64
	for core, times := range now {
		earlier, ok := before[core]
		if !ok {
			continue
		}
		for mode, seconds := range times {
			passed := seconds - earlier[mode]
			if passed < 0 {
				return nil
			}
			all += passed
			if mode == "idle" || mode == "iowait" {
				idle += passed
			}
		}
	}
	if all <= 0 {
		return nil
	}
	return known((all - idle) / all)
}
