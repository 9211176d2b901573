//go:build !windows

package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kingpin/v2"
	"github.com/coreos/go-systemd/v22/daemon"
)

// standardError is where problems are told.
func standardError() io.Writer { return os.Stderr }

// addService adds no command: whoever runs services here has files for that.
func (*config) addService(*kingpin.Application) {}

// usualTokenFile is empty: a token file is used where a flag names it.
func usualTokenFile() (string, error) { return "", nil }

// started serves for a terminal or for systemd, which is told how the service
// fares (sd_notify(3)).
func started(c *config, serve func(context.Context, *slog.Logger, notify) error) error {
	logger := c.logger()
	states := map[stage]string{ready: daemon.SdNotifyReady, stopping: daemon.SdNotifyStopping}
	return untilSignal(logger, func(s stage) {
		if _, err := daemon.SdNotify(false, states[s]); err != nil {
			logger.Warn("systemd cannot be told", "state", states[s], "err", err)
		}
	}, serve)
}
