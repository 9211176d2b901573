package collector

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	pressureCPUWaiting = define("pressure", "pressure_cpu_waiting_seconds_total",
		"Seconds in which at least one task waited for a processor.", prometheus.CounterValue)
	pressureMemoryWaiting = define("pressure", "pressure_memory_waiting_seconds_total",
		"Seconds in which at least one task waited for memory.", prometheus.CounterValue)
	pressureIOWaiting = define("pressure", "pressure_io_waiting_seconds_total",
		"Seconds in which at least one task waited for input or output.", prometheus.CounterValue)
	pressureMemoryStalled = define("pressure", "pressure_memory_stalled_seconds_total",
		"Seconds in which all tasks that had work waited for memory at once.", prometheus.CounterValue)
	pressureIOStalled = define("pressure", "pressure_io_stalled_seconds_total",
		"Seconds in which all tasks that had work waited for input or output at once.", prometheus.CounterValue)
)

// pressureSample is the total of one line of pressure stall information.
type pressureSample struct {
	metric  metric
	seconds float64
}

type pressureCollector struct {
	read func() ([]pressureSample, error)
}

// NewPressure makes the collector of pressure stall information, which Linux
// has since 4.20 where it is compiled in and switched on.
func NewPressure(paths Paths) (Collector, error) {
	read, err := newPressureReader(paths)
	if err != nil {
		return nil, fmt.Errorf("pressure collector: %w", err)
	}
	return pressureCollector{read: read}, nil
}

// Update implements [Collector].
func (c pressureCollector) Update(_ context.Context, ch chan<- prometheus.Metric) error {
	samples, err := c.read()
	if err != nil {
		return fmt.Errorf("read pressure: %w", err)
	}
	for _, s := range samples {
		s.metric.send(ch, s.seconds)
	}
	return nil
}
