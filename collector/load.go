package collector

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

const loadHelp = "Processes that ran or waited to run, on Linux also those in uninterruptible sleep, averaged over "

var (
	load1  = define("load", "load1", loadHelp+"1 minute.", prometheus.GaugeValue)
	load5  = define("load", "load5", loadHelp+"5 minutes.", prometheus.GaugeValue)
	load15 = define("load", "load15", loadHelp+"15 minutes.", prometheus.GaugeValue)
)

// loadAverages are the averages over 1, 5 and 15 minutes.
type loadAverages [3]float64

type loadCollector struct {
	read func(context.Context) (loadAverages, error)
}

// NewLoad makes the collector of the load averages. Windows has none.
func NewLoad(paths Paths) (Collector, error) {
	read, err := newLoadReader(paths)
	if err != nil {
		return nil, fmt.Errorf("load collector: %w", err)
	}
	return loadCollector{read: read}, nil
}

// Update implements [Collector].
func (c loadCollector) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	averages, err := c.read(ctx)
	if err != nil {
		return fmt.Errorf("read load averages: %w", err)
	}
	load1.send(ch, averages[0])
	load5.send(ch, averages[1])
	load15.send(ch, averages[2])
	return nil
}
