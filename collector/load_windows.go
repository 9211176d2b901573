package collector

import "context"

// newLoadReader has nothing to read: Windows keeps no load average, and one
// estimated from the processor queue would need a timer of our own.
func newLoadReader(Paths) (func(context.Context) (loadAverages, error), error) {
	return func(context.Context) (loadAverages, error) { return loadAverages{}, ErrNoData }, nil
}
