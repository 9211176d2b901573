// Package collector publishes what the machine does as Prometheus metrics:
// one collector per subject and file, run side by side by a [Set].
package collector

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

const namespace = "server_monitor"

// Collector reads one subject and publishes it.
type Collector interface {
	// Update sends the metrics of the moment to ch. It starts no goroutine
	// that outlives it unless the kernel forces it to, honours ctx where it
	// can, and returns [ErrNoData] where the machine has nothing to say on
	// the subject. What it sent before an error is dropped.
	Update(ctx context.Context, ch chan<- prometheus.Metric) error
}

// ErrNoData says that a collector is healthy but that the machine has no such
// thing: no pressure information in the kernel, say.
var ErrNoData = errors.New("nothing to collect on this machine")
