package collector

import (
	"context"
	"maps"
	"math"
	"testing"
)

func TestCPUOfThisMachine(t *testing.T) {
	for _, perCore := range []bool{false, true} {
		c := made(t)(NewCPU(thisMachine(), perCore))
		if n := values(t, c, "cpu_logical_processors")[""]; n < 1 {
			t.Errorf("%v cores", n)
		}
		if seconds := values(t, c, "cpu_seconds_total"); len(seconds) == 0 {
			t.Error("no times")
		}
		lintExposition(t, c)
	}
}

func TestCPUTicks(t *testing.T) {
	for seconds, want := range map[float64]int64{
		0: 0, 0.01: 1, 0.29: 29, 1: 100, 12405388.22: 1240538822,
		-1: 0, math.Inf(1): cpuMaxTicks, math.Inf(-1): 0, 1.8e17: cpuMaxTicks,
	} {
		if got := cpuTicks(seconds); got != want {
			t.Errorf("cpuTicks(%v) = %d, want %d", seconds, got, want)
		}
	}
	if got := cpuTicks(math.NaN()); got != 0 {
		t.Errorf("cpuTicks(NaN) = %d", got)
	}
}

func TestCPUCounterNeverFalls(t *testing.T) {
	cases := []struct {
		name      string
		ticks, to []int64
	}{
		{"rises", []int64{0, 10, 20}, []int64{0, 10, 20}},
		{"waits after a small step back", []int64{1000, 990, 995, 1010}, []int64{1000, 1000, 1000, 1010}},
		{"goes on after a restart", []int64{100000, 0, 10, 25}, []int64{100000, 100000, 100010, 100025}},
		{"does not count a jump to a lower value", []int64{100000, 60000, 60010}, []int64{100000, 100000, 100010}},
		{"a second restart", []int64{1000, 0, 500, 0, 7}, []int64{1000, 1000, 1500, 1500, 1507}},
		{"nonsense for a moment", []int64{1000, cpuMaxTicks, 1010, 1020}, []int64{1000, cpuMaxTicks, cpuMaxTicks, cpuMaxTicks + 10}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var counter cpuCounter
			for i, ticks := range c.ticks {
				if got := counter.observe(ticks); got != c.to[i] {
					t.Errorf("reading %d: %d shown as %d, want %d", i, ticks, got, c.to[i])
				}
			}
		})
	}
}

// TestCPUHotplug takes a core off and on again. Nothing shown may fall.
func TestCPUHotplug(t *testing.T) {
	core := func(ticks int64) cpuTimes { return cpuTimes{cpuUser: ticks, cpuIdle: 10 * ticks} }
	readings := []map[int]cpuTimes{
		{0: core(1000), 1: core(1000)},
		{0: core(1100)},
		{0: core(1200), 1: core(5)},
		{0: core(1300), 1: core(105)},
	}
	wantSum := []float64{20, 21, 22, 24}
	wantCore1 := []map[string]float64{{"1 user": 10}, {}, {"1 user": 10}, {"1 user": 11}}
	next := func() func(context.Context) (map[int]cpuTimes, error) {
		i := -1
		return func(context.Context) (map[int]cpuTimes, error) {
			i++
			return maps.Clone(readings[i]), nil
		}
	}
	sum, perCore := newCPU(next(), false), newCPU(next(), true)
	for i, want := range wantSum {
		if got := values(t, sum, "cpu_seconds_total")["user"]; got != want {
			t.Errorf("reading %d: user %v, want %v", i, got, want)
		}
		got := values(t, perCore, "cpu_seconds_total")
		if got["1 user"] != wantCore1[i]["1 user"] {
			t.Errorf("reading %d: core 1 %v, want %v", i, got["1 user"], wantCore1[i])
		}
		if want := cpuModes * len(readings[i]); len(got) != want {
			t.Errorf("reading %d: %d series of cores, want %d", i, len(got), want)
		}
	}
}
