package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"server-monitor/internal/service"
)

var (
	serviceState = define("service", "service_state",
		"1 for the state that the service is in, 0 for every other state. "+
			"A configured service is reported even where it is absent.",
		prometheus.GaugeValue, "name", "state", "source")
	serviceHealth = define("service", "service_health",
		"0 if nothing is wrong with the service, 1 if it is between two states, idle or cannot be judged, "+
			"2 if it failed or is configured and does not run.",
		prometheus.GaugeValue, "name", "source")
	serviceExpected = define("service", "service_expected",
		"1 for each service that somebody said should run here (--collector.service.name).",
		prometheus.GaugeValue, "name")
	serviceManagerUp = define("service", "service_manager_up",
		"1 if the service manager (systemd, or that of Windows) told the services, 0 if it could not be asked and "+
			"the process table stands in; absent where there is none.",
		prometheus.GaugeValue)
	serviceInfo = define("service", "service_info",
		"1 for each service of Windows, with how it is started (auto, delayed-auto, demand or disabled) and as whom it runs.",
		prometheus.GaugeValue, "name", "start_type", "account")
	serviceStartTime = defineService("service_start_time_seconds",
		"When the service was last started, in seconds since the Unix epoch; absent while it does not run.",
		prometheus.GaugeValue)
	serviceRestarts = defineService("service_restarts_total",
		"How often systemd has restarted the service by itself since somebody last started it.",
		prometheus.CounterValue)
	serviceMemory = defineService("service_memory_bytes",
		"Memory that the processes of the service use, file cache included; absent where systemd does not account for it.",
		prometheus.GaugeValue)
	serviceCPU = defineService("service_cpu_seconds_total",
		"Seconds of processor time that the service has used since it was last started; absent where systemd does not account for it.",
		prometheus.CounterValue)
	serviceTasks = defineService("service_tasks",
		"Threads of the service; absent where systemd does not account for them.",
		prometheus.GaugeValue)
)

// defineService declares a family that only a service manager can tell. The label is
// called "name", as people put "service" on their targets.
func defineService(name, help string, kind prometheus.ValueType) metric {
	return define("service", name, help, kind, "name")
}

type serviceCollector struct {
	manager  service.Manager
	expected []string
	logger   *slog.Logger
}

// NewService makes the collector of services, some of which are expected to run.
func NewService(manager service.Manager, expected []string, logger *slog.Logger) Collector {
	return serviceCollector{manager: manager, expected: expected, logger: logger}
}

// Update implements [Collector]. That the manager cannot be asked is told by a
// metric of its own, so that what the process table knows is not lost.
func (c serviceCollector) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	services, err := c.manager.Services(ctx)
	away := errors.Is(err, service.ErrManagerAway)
	switch {
	case err != nil && !(away && len(services) > 0):
		return fmt.Errorf("list services: %w", err)
	case len(services) == 0:
		return ErrNoData
	case away:
		c.logger.Debug("the service manager cannot be asked", "err", err)
		serviceManagerUp.send(ch, 0)
	case slices.ContainsFunc(services, fromManager):
		serviceManagerUp.send(ch, 1)
	}
	for _, s := range services {
		sendService(ch, s)
		if slices.Contains(c.expected, s.Name) {
			serviceExpected.send(ch, 1, s.Name)
		}
	}
	return nil
}

func fromManager(s service.Service) bool { return s.Source != service.ProcessTable }

// sendService publishes one service.
func sendService(ch chan<- prometheus.Metric, s service.Service) {
	source := string(s.Source)
	for _, state := range service.States {
		serviceState.send(ch, number(s.State == state), s.Name, string(state), source)
	}
	serviceHealth.send(ch, float64(s.Health()), s.Name, source)
	if s.StartType != "" {
		serviceInfo.send(ch, 1, s.Name, s.StartType, s.Account)
	}
	if s.StartTime != nil {
		serviceStartTime.send(ch, float64(s.StartTime.UnixMicro())/1e6, s.Name)
	}
	if s.Restarts != nil {
		serviceRestarts.send(ch, float64(*s.Restarts), s.Name)
	}
	if s.MemoryBytes != nil {
		serviceMemory.send(ch, float64(*s.MemoryBytes), s.Name)
	}
	if s.CPUSeconds != nil {
		serviceCPU.send(ch, *s.CPUSeconds, s.Name)
	}
	if s.Tasks != nil {
		serviceTasks.send(ch, float64(*s.Tasks), s.Name)
	}
}
