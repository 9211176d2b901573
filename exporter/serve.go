package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/mdlayher/vsock"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 5 * time.Minute
	// stopTimeout is how long requests may go on once the program is to stop.
	stopTimeout = 10 * time.Second
)

// serve runs the exporter until whoever has started it tells it to stop.
func serve(c *config) error { return started(c, c.serveUntil) }

// notify tells whoever has started the program how it fares.
type notify func(stage)

// stage is how far the program is.
type stage int

const (
	ready stage = iota
	stopping
)

// untilSignal serves until somebody interrupts or terminates the program.
func untilSignal(logger *slog.Logger, tell notify, serve func(context.Context, *slog.Logger, notify) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return serve(ctx, logger, tell)
}

// serveUntil runs the exporter until ctx ends.
func (c *config) serveUntil(ctx context.Context, logger *slog.Logger, tell notify) error {
	runtime.GOMAXPROCS(c.maxProcs)
	slackenTimers()
	logger.Info("starting server-monitor", "version", version.Info(), "build", version.BuildContext())
	parts, err := assemble(c, logger)
	if err != nil {
		return err
	}
	defer parts.close()
	set, err := parts.collectors(c, logger)
	if err != nil {
		return err
	}
	logger.Info("collectors are on", "collectors", strings.Join(set.Names(), ","))
	routes, err := newRoutes(&c.serve, newMetricsHandler(set, &c.serve, logger))
	if err != nil {
		return err
	}
	listeners, err := listen(c.serve.web)
	if err != nil {
		return err
	}
	endpoints := metricsEndpoints(listeners, routes, c.serve.web)
	operator, err := parts.newOperator(c, set, logger)
	if err != nil {
		closeAll(listeners)
		return err
	}
	stopOperator := func(context.Context) error { return nil }
	if operator != nil {
		defer operator.close()
		endpoints = append(endpoints, operator.endpoints(&c.serve.operator)...)
		stopOperator = operator.stop
		if err := operator.printLink(c.stdout, &c.serve.operator); err != nil {
			closeAll(listeners)
			return fmt.Errorf("--operator.print-link: %w", err)
		}
	}
	debug.FreeOSMemory() // what the start took and is garbage by now
	leaveProgramFile()
	return serveUntil(ctx, endpoints, stopOperator, tell, logger)
}

// listen opens what flags or systemd say.
func listen(flags *web.FlagConfig) ([]net.Listener, error) {
	if *flags.WebSystemdSocket {
		listeners, err := activation.Listeners()
		if err == nil && len(listeners) == 0 {
			err = errors.New("--web.systemd-socket: systemd has passed no socket")
		}
		return listeners, err
	}
	var listeners []net.Listener
	for _, address := range *flags.WebListenAddresses {
		l, err := listenOn(address)
		if err != nil {
			closeAll(listeners)
			return nil, fmt.Errorf("--web.listen-address %s: %w", address, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// listenOn opens one address: of TCP, or "vsock://:PORT".
func listenOn(address string) (net.Listener, error) {
	port, ok := strings.CutPrefix(address, "vsock://:")
	if !ok {
		return net.Listen("tcp", address)
	}
	number, err := strconv.ParseUint(port, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("no port of a vsock: %q", port)
	}
	return vsock.Listen(uint32(number), nil)
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// endpoint is a listener with the server behind it. Each has a server of its
// own, as the toolkit wraps the handler of a server anew for every listener.
type endpoint struct {
	listener net.Listener
	server   *http.Server
	web      *web.FlagConfig
}

// metricsEndpoints are the servers of the metrics listener.
func metricsEndpoints(listeners []net.Listener, handler http.Handler, flags *web.FlagConfig) []endpoint {
	endpoints := make([]endpoint, len(listeners))
	for i, l := range listeners {
		endpoints[i] = endpoint{l, &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}, flags}
	}
	return endpoints
}

// serveUntil serves on all listeners until ctx ends or one of them fails. What
// is under way may come to its end.
func serveUntil(ctx context.Context, endpoints []endpoint, finish func(context.Context) error, tell notify, logger *slog.Logger) error {
	group, failed := errgroup.WithContext(ctx)
	for _, e := range endpoints {
		e.server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
		group.Go(func() error {
			if err := web.Serve(e.listener, e.server, e.web, logger); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve on %s: %w", e.listener.Addr(), err)
			}
			return nil
		})
	}
	tell(ready)
	<-failed.Done()
	tell(stopping)
	logger.Info("stopping")
	wait, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	group.Go(func() error { return finish(wait) })
	for _, e := range endpoints {
		group.Go(func() error {
			if err := e.server.Shutdown(wait); err != nil {
				logger.Warn("requests did not end in time", "address", e.listener.Addr(), "err", err)
				e.server.Close()
			}
			return nil
		})
	}
	return group.Wait()
}
