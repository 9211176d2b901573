//go:build !linux

package collector

import (
	"context"

	"github.com/shirou/gopsutil/v4/host"
)

// newBootReader asks the operating system; there is nothing to redirect.
func newBootReader(Paths) (func(context.Context) (uint64, error), error) {
	return host.BootTimeWithContext, nil
}
