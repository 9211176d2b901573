//go:build !linux

package service

import "context"

// noSystemd stands where there can be no systemd.
type noSystemd struct{}

func machineSystemd(Config) (systemd closer, booted func() bool) {
	return noSystemd{}, func() bool { return false }
}

// Services implements [Manager]. It is never called.
func (noSystemd) Services(context.Context) ([]Service, error) { return nil, ErrSystemdAway }

// Close does nothing.
func (noSystemd) Close() error { return nil }
