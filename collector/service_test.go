package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"server-monitor/internal/service"
)

// fixedServices is a manager that always answers the same.
type fixedServices struct {
	services []service.Service
	err      error
}

func (f fixedServices) Services(context.Context) ([]service.Service, error) { return f.services, f.err }

func serviceCollectorOf(err error, services ...service.Service) Collector {
	return NewService(fixedServices{services, err}, nil, slog.New(slog.DiscardHandler))
}

// serviceHeads are the comments above the families, by name.
var serviceHeads = map[string]string{
	"service_state": `
# HELP server_monitor_service_state 1 for the state that the service is in, 0 for every other state. A configured service is reported even where it is absent.
# TYPE server_monitor_service_state gauge`,
	"service_health": `
# HELP server_monitor_service_health 0 if nothing is wrong with the service, 1 if it is between two states, idle or cannot be judged, 2 if it failed or is configured and does not run.
# TYPE server_monitor_service_health gauge`,
	"service_manager_up": `
# HELP server_monitor_service_manager_up 1 if the service manager (systemd, or that of Windows) told the services, 0 if it could not be asked and the process table stands in; absent where there is none.
# TYPE server_monitor_service_manager_up gauge`,
}

// stateSet is the state set of a service.
func stateSet(name, state, source string) string {
	var b strings.Builder
	for _, s := range []string{
		"activating", "active", "deactivating", "failed", "idle", "inactive", "not_found", "reloading", "unsupported",
	} {
		value := 0
		if s == state {
			value = 1
		}
		fmt.Fprintf(&b, "server_monitor_service_state{name=%q,source=%q,state=%q} %d\n", name, source, s, value)
	}
	return b.String()
}

func TestService(t *testing.T) {
	start := time.UnixMicro(1_700_000_000_250_000)
	restarts, memory, cpu, tasks := uint64(3), uint64(5<<20), 12.5, uint64(4)
	c := serviceCollectorOf(nil,
		service.Service{Name: "cron", State: service.Inactive, Source: service.Systemd},
		service.Service{Name: "docker", State: service.NotFound, Source: service.Systemd, Configured: true},
		service.Service{
			Name: "nginx", State: service.Active, Source: service.Systemd, Configured: true,
			StartTime: &start, Restarts: &restarts, MemoryBytes: &memory, CPUSeconds: &cpu, Tasks: &tasks,
		},
		service.Service{Name: "python", State: service.Idle, Source: service.ProcessTable, Configured: true},
	)
	compareExposition(t, c, `
# HELP server_monitor_service_cpu_seconds_total Seconds of processor time that the service has used since it was last started; absent where systemd does not account for it.
# TYPE server_monitor_service_cpu_seconds_total counter
server_monitor_service_cpu_seconds_total{name="nginx"} 12.5
`+strings.TrimPrefix(serviceHeads["service_health"], "\n")+`
server_monitor_service_health{name="cron",source="systemd"} 0
server_monitor_service_health{name="docker",source="systemd"} 2
server_monitor_service_health{name="nginx",source="systemd"} 0
server_monitor_service_health{name="python",source="process"} 1
`+strings.TrimPrefix(serviceHeads["service_manager_up"], "\n")+`
server_monitor_service_manager_up 1
# HELP server_monitor_service_memory_bytes Memory that the processes of the service use, file cache included; absent where systemd does not account for it.
# TYPE server_monitor_service_memory_bytes gauge
server_monitor_service_memory_bytes{name="nginx"} 5.24288e+06
# HELP server_monitor_service_restarts_total How often systemd has restarted the service by itself since somebody last started it.
# TYPE server_monitor_service_restarts_total counter
server_monitor_service_restarts_total{name="nginx"} 3
# HELP server_monitor_service_start_time_seconds When the service was last started, in seconds since the Unix epoch; absent while it does not run.
# TYPE server_monitor_service_start_time_seconds gauge
server_monitor_service_start_time_seconds{name="nginx"} 1.70000000025e+09
`+strings.TrimPrefix(serviceHeads["service_state"], "\n")+"\n"+
		stateSet("cron", "inactive", "systemd")+stateSet("docker", "not_found", "systemd")+
		stateSet("nginx", "active", "systemd")+stateSet("python", "idle", "process")+`
# HELP server_monitor_service_tasks Threads of the service; absent where systemd does not account for them.
# TYPE server_monitor_service_tasks gauge
server_monitor_service_tasks{name="nginx"} 4
`)
	lintExposition(t, c)
}

// Where systemd does not run there is no manager to be up or down.
func TestServiceFromProcessTable(t *testing.T) {
	c := serviceCollectorOf(nil, service.Service{Name: "sshd", State: service.Failed, Source: service.ProcessTable, Configured: true})
	compareExposition(t, c, serviceHeads["service_health"]+`
server_monitor_service_health{name="sshd",source="process"} 2
`+strings.TrimPrefix(serviceHeads["service_state"], "\n")+"\n"+stateSet("sshd", "failed", "process"))
}

// The manager of Windows tells how services are started, and as whom.
func TestServiceOfWindows(t *testing.T) {
	began := time.Unix(1_700_000_000, 0)
	c := serviceCollectorOf(nil, service.Service{
		Name: "EventLog", State: service.Active, Sub: "running", Source: service.SCM, StartTime: &began,
		StartType: "delayed-auto", Account: `NT AUTHORITY\LocalService`,
	})
	compareExposition(t, c, strings.TrimPrefix(serviceHeads["service_health"], "\n")+`
server_monitor_service_health{name="EventLog",source="scm"} 0
# HELP server_monitor_service_info 1 for each service of Windows, with how it is started (auto, delayed-auto, demand or disabled) and as whom it runs.
# TYPE server_monitor_service_info gauge
server_monitor_service_info{account="NT AUTHORITY\\LocalService",name="EventLog",start_type="delayed-auto"} 1
`+strings.TrimPrefix(serviceHeads["service_manager_up"], "\n")+`
server_monitor_service_manager_up 1
# HELP server_monitor_service_start_time_seconds When the service was last started, in seconds since the Unix epoch; absent while it does not run.
# TYPE server_monitor_service_start_time_seconds gauge
server_monitor_service_start_time_seconds{name="EventLog"} 1.7e+09
`+strings.TrimPrefix(serviceHeads["service_state"], "\n")+"\n"+stateSet("EventLog", "active", "scm"))
	lintExposition(t, c)
}

// A bus that refuses costs what only systemd knows, not the scrape.
func TestServiceWithSystemdAway(t *testing.T) {
	away := fmt.Errorf("%w: no bus", service.ErrManagerAway)
	c := serviceCollectorOf(away, service.Service{Name: "sshd", State: service.Active, Source: service.ProcessTable, Configured: true})
	compareExposition(t, c, serviceHeads["service_health"]+`
server_monitor_service_health{name="sshd",source="process"} 0
`+strings.TrimPrefix(serviceHeads["service_manager_up"], "\n")+`
server_monitor_service_manager_up 0
`+strings.TrimPrefix(serviceHeads["service_state"], "\n")+"\n"+stateSet("sshd", "active", "process"))
	lintExposition(t, c)
}

func TestServiceFailures(t *testing.T) {
	broken := errors.New("no /proc")
	wantFailure(t, serviceCollectorOf(nil), ErrNoData)
	wantFailure(t, serviceCollectorOf(broken), broken)
	wantFailure(t, serviceCollectorOf(broken, service.Service{Name: "a", State: service.Active}), broken)
	wantFailure(t, serviceCollectorOf(service.ErrManagerAway), service.ErrManagerAway)
}

// Every state is one series, and exactly one of them is 1.
func TestServiceStateSet(t *testing.T) {
	var services []service.Service
	for _, state := range service.States {
		services = append(services, service.Service{Name: "in-" + string(state), State: state, Source: service.Systemd})
	}
	samples := values(t, serviceCollectorOf(nil, services...), "service_state")
	if want := len(services) * len(service.States); len(samples) != want {
		t.Errorf("%d series, want %d", len(samples), want)
	}
	for labels, value := range samples {
		words := strings.Fields(labels) // name, source, state
		if want := number(words[0] == "in-"+words[2]); value != want {
			t.Errorf("%s is %v", labels, value)
		}
	}
}

// Only what somebody said should run is expected, whether it runs or not.
func TestServiceExpected(t *testing.T) {
	manager := fixedServices{services: []service.Service{
		{Name: "docker", State: service.NotFound, Source: service.Systemd, Configured: true},
		{Name: "nginx", State: service.Active, Source: service.Systemd, Configured: true},
		{Name: "sshd", State: service.NotFound, Source: service.Systemd, Configured: true},
	}}
	all := families(t, NewService(manager, []string{"docker", "nginx", "gone"}, slog.New(slog.DiscardHandler)))
	wantSeries(t, all, "service_expected", map[string]float64{`name="docker"`: 1, `name="nginx"`: 1})
}
