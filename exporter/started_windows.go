package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/windows/svc"

	"server-monitor/internal/ownfile"
)

// asServiceFlag is an argument of the service's own, by which it knows what it
// is: that its parent is services.exe in session 0 holds on Windows, but not
// everywhere where its services run.
const asServiceFlag = "as-service"

// isService tells whether the service control manager has started the program.
func isService() bool {
	is, err := svc.IsWindowsService()
	return err == nil && is || slices.Contains(os.Args[1:], "--"+asServiceFlag)
}

// standardError is where problems are told. A service has no standard error:
// what is said there goes to the event log.
func standardError() io.Writer {
	if isService() {
		if log, err := openEventLog(); err == nil {
			return &eventWriter{log: log, level: slog.LevelError}
		}
	}
	return os.Stderr
}

// usualTokenFile is the token file that an installed service has.
func usualTokenFile() (string, error) {
	folder := ownfile.Folder()
	if err := ownfile.ClaimFolder(folder); err != nil {
		return "", err
	}
	return filepath.Join(folder, "tokens.json"), nil
}

// started serves for a console or, where the service control manager has started
// the program, for that.
func started(c *config, serve func(context.Context, *slog.Logger, notify) error) error {
	if !isService() {
		return untilSignal(c.logger(), func(stage) {}, serve)
	}
	log, err := openEventLog()
	if err != nil {
		return err
	}
	defer log.Close()
	h := &serviceHandler{serve: serve, logger: c.eventLogger(log)}
	return errors.Join(svc.Run(ownfile.ServiceName, h), h.err)
}

// serviceHandler serves as the service control manager asks for.
type serviceHandler struct {
	serve  func(context.Context, *slog.Logger, notify) error
	logger *slog.Logger
	err    error // of serve, once Execute has returned
}

// For how long the manager is to wait for the next state, in milliseconds. The
// program gives itself less.
const (
	startHint = 30_000
	stopHint  = 20_000
)

// failedExit is the exit code of a service that ended by an error.
const failedExit = 1

// Execute implements [svc.Handler].
func (h *serviceHandler) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (specific bool, exitCode uint32) {
	status <- svc.Status{State: svc.StartPending, WaitHint: startHint}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	stages, ended := make(chan stage, stopping+1), make(chan error, 1)
	go func() { ended <- h.serve(ctx, h.logger, func(s stage) { stages <- s }) }()
	for {
		select {
		case s := <-stages:
			status <- statusOf(s)
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				h.logger.Info("told to stop", "shutdown", r.Cmd == svc.Shutdown)
				status <- statusOf(stopping)
				stop()
			}
		case h.err = <-ended:
			if h.err != nil {
				h.logger.Error("the service has failed", "err", h.err)
				return true, failedExit
			}
			h.logger.Info("stopped")
			return false, 0
		}
	}
}

// statusOf tells the manager of a stage.
func statusOf(s stage) svc.Status {
	if s == ready {
		return svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	}
	return svc.Status{State: svc.StopPending, WaitHint: stopHint}
}
