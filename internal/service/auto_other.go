//go:build !linux && !windows

package service

import "context"

// managerName is what there is none of.
const managerName = "systemd"

// noSystemd stands where there can be no systemd.
type noSystemd struct{}

func machineManager(Config, Snapshot) (systemd closer, booted func() bool) {
	return noSystemd{}, func() bool { return false }
}

// Services implements [Manager]. It is never called.
func (noSystemd) Services(context.Context) ([]Service, error) { return nil, ErrManagerAway }

// Close does nothing.
func (noSystemd) Close() error { return nil }
