//go:build !linux && !windows

package doctor

import (
	"context"
	"time"

	"github.com/shirou/gopsutil/v4/host"
)

// gatherNative asks for the clock; the rest that it is for is of Linux.
func gatherNative(ctx context.Context, _ *Config, f *Facts) {
	f.Clock.Now = time.Now()
	seconds, err := host.BootTimeWithContext(ctx)
	f.Clock.Boot, f.Clock.Err = time.Unix(int64(seconds), 0), err
}
