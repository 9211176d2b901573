package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"server-monitor/internal/flight"
	"server-monitor/internal/process"
)

// AutoManager asks systemd where that runs, else the process table; which of
// them is decided anew with each question. On Windows the service control manager
// stands in the place of systemd. Questions that arrive together share
// one answer.
//
// Where systemd runs, the process table still answers for configured names that
// systemd does not know. Where systemd runs but cannot be asked, it answers for
// all configured names, and the error says so: see [Manager].
type AutoManager struct {
	config   Config
	systemd  closer
	booted   func() bool
	snapshot Snapshot
	logger   *slog.Logger
	flight   flight.Flight[answer]

	// What follows is used by one flight at a time.

	tableNeeded bool   // the process table was needed last time
	told        string // what was logged last
}

// closer is a manager that holds something open.
type closer interface {
	Manager
	Close() error
}

// flightLimit ends a question whose answer nobody waits for any more.
const flightLimit = 30 * time.Second

// NewAuto makes a manager that chooses. It is to be closed in the end.
func NewAuto(config Config, snapshot Snapshot, logger *slog.Logger) *AutoManager {
	systemd, booted := machineManager(config, snapshot)
	return newAuto(config, systemd, booted, snapshot, logger)
}

func newAuto(config Config, systemd closer, booted func() bool, snapshot Snapshot, logger *slog.Logger) *AutoManager {
	return &AutoManager{
		config: config, systemd: systemd, booted: booted, snapshot: snapshot, logger: logger,
		tableNeeded: slices.ContainsFunc(config.names(), hasNoUnit),
	}
}

// Close ends the connection to systemd.
func (a *AutoManager) Close() error { return a.systemd.Close() }

// answer is what [Manager.Services] returns.
type answer struct {
	services []Service
	err      error
}

// Services implements [Manager]. Where ctx ends first, the question goes on for
// the others.
func (a *AutoManager) Services(ctx context.Context) ([]Service, error) {
	got, err := a.flight.Do(ctx, flightLimit, func(ctx context.Context) (answer, error) {
		services, err := a.services(ctx)
		return answer{services, err}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("wait for the services: %w", err)
	}
	return got.services, got.err
}

func (a *AutoManager) services(ctx context.Context) ([]Service, error) {
	if !a.booted() {
		a.tell(slog.LevelInfo, "no "+managerName+" here, looking for services in the process table", nil)
		return NewProcessTable(a.config, a.snapshot).Services(ctx)
	}
	// Whoever scrapes wants the processes too, at the same time: who asks for
	// them now shares that reading, who asks after systemd has answered may
	// cause a second one.
	var reading sync.WaitGroup
	defer reading.Wait()
	table := sync.OnceValues(func() (*process.Snapshot, error) { return a.snapshot(ctx) })
	if a.tableNeeded {
		reading.Go(func() { _, _ = table() })
	}
	services, err := a.systemd.Services(ctx)
	if err == nil {
		a.tell(slog.LevelInfo, "asking "+managerName+" for services", nil)
		a.complete(services, table)
		return services, nil
	}
	a.tell(slog.LevelWarn, managerName+" cannot be asked, looking for the configured services in the process table", err)
	err = fmt.Errorf("%w: %w", ErrManagerAway, err)
	snapshot, readErr := table()
	if readErr != nil {
		return nil, errors.Join(err, fmt.Errorf("look for services among the processes: %w", readErr))
	}
	return a.standIn(snapshot), err
}

// standIn is what the process table knows while systemd cannot be asked. What
// it does not find may run all the same: only systemd knows which program a
// unit runs.
func (a *AutoManager) standIn(snapshot *process.Snapshot) []Service {
	services := lookUp(a.config.names(), snapshot)
	for i := range services {
		if s := &services[i]; s.State == Inactive && !hasNoUnit(s.Name) {
			s.State = Unsupported
		}
	}
	return services
}

// complete asks the process table for what systemd does not know. Of a service
// that could have a unit, it counts only if something of it is there.
func (a *AutoManager) complete(services []Service, table func() (*process.Snapshot, error)) {
	missing := make(map[string]*Service)
	for i := range services {
		if s := &services[i]; s.Configured && s.State == NotFound {
			missing[s.Name] = s
		}
	}
	a.tableNeeded = len(missing) > 0
	if len(missing) == 0 {
		return
	}
	snapshot, err := table()
	if err != nil {
		a.logger.Debug("cannot look for services among the processes", "err", err)
	}
	for _, name := range a.config.names() {
		s, unitless := missing[printable(name)], hasNoUnit(name)
		switch {
		case s == nil:
		case err != nil && unitless:
			s.State, s.Source = Unsupported, ProcessTable
		case err != nil:
		default:
			if found := lookUp([]string{name}, snapshot)[0]; unitless || found.State != Inactive {
				*s = found
			}
		}
	}
}

// tell logs where services come from now, unless that was logged last.
func (a *AutoManager) tell(level slog.Level, what string, err error) {
	if a.told == what {
		return
	}
	a.told = what
	var args []any
	if err != nil {
		args = []any{"err", printable(err.Error())}
	}
	a.logger.Log(context.Background(), level, what, args...)
}
