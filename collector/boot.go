package collector

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

var bootTime = define("boot", "boot_time_seconds",
	"When the machine started, in seconds since the Unix epoch; time() minus it is the uptime.",
	prometheus.GaugeValue)

type bootCollector struct {
	// read returns the time of the start in seconds since the epoch.
	read func(context.Context) (uint64, error)
}

// NewBoot makes the collector of the time of the last start.
func NewBoot(paths Paths) (Collector, error) {
	read, err := newBootReader(paths)
	if err != nil {
		return nil, fmt.Errorf("boot collector: %w", err)
	}
	return bootCollector{read: read}, nil
}

// Update implements [Collector]. It reads anew each time, as the answer moves
// when the clock is set.
func (c bootCollector) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	seconds, err := c.read(ctx)
	if err != nil {
		return fmt.Errorf("read boot time: %w", err)
	}
	bootTime.send(ch, float64(seconds))
	return nil
}
