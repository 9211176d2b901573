package killapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"server-monitor/collector"
	"server-monitor/internal/resources"
	"server-monitor/internal/token"
)

// untested are promises that are tested on other systems alone.
var untested []string

// TestResources shows those of this machine.
func TestResources(t *testing.T) {
	set := collector.NewSet(slog.New(slog.DiscardHandler), machineCollectors(t))
	keeper := resources.NewKeeper(func(ctx context.Context) ([]*dto.MetricFamily, error) {
		selected, err := set.Select(ctx, nil, nil)
		if err != nil {
			return nil, err
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(selected)
		return registry.Gather()
	})
	a := newTestAPI(t, func(c *Config) { c.Resources = keeper })
	body := a.want(a.request("GET", "/api/v1/resources", token.Viewer, ""), http.StatusOK, "")
	for _, want := range []string{`"load1":`, `"mountpoint":"/"`, `"cores":`, `"total_bytes":`} {
		if !strings.Contains(body, want) || strings.Contains(body, want+"null") {
			t.Errorf("no %s in %s", want, body)
		}
	}
	nothing := newTestAPI(t, nil)
	nothing.want(nothing.request("GET", "/api/v1/resources", token.Viewer, ""), http.StatusOK, "")
}

// machineCollectors are the collectors of what [resources.Resources] shows.
func machineCollectors(t *testing.T) map[string]collector.Collector {
	t.Helper()
	paths := collector.Paths{Proc: "/proc", Sys: "/sys", Root: "/"}
	all := make(map[string]collector.Collector)
	add := func(name string, made collector.Collector, err error) {
		if err != nil {
			t.Skip(err)
		}
		all[name] = made
	}
	cpu, err := collector.NewCPU(paths, false)
	add("cpu", cpu, err)
	memory, err := collector.NewMemory(paths)
	add("memory", memory, err)
	load, err := collector.NewLoad(paths)
	add("load", load, err)
	boot, err := collector.NewBoot(paths)
	add("boot", boot, err)
	files, err := collector.NewFilesystem(paths, collector.FilesystemConfig{}, slog.New(slog.DiscardHandler))
	add("filesystem", files, err)
	return all
}
