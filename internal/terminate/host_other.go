//go:build !linux && !windows

package terminate

import (
	"os"

	"server-monitor/internal/process"
)

// ReadHost says that nothing can be ended on this platform.
func ReadHost(process.Config) *Host {
	obstacle := reasonPlatform
	return &Host{Login: DefaultLogin, Self: os.Getpid(), Obstacle: &obstacle}
}
