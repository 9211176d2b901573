package collector

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"server-monitor/internal/inventory"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// TestFewDescriptorsAreToldOnce warns of the limit that makes each scrape slow, and
// does not repeat itself.
func TestFewDescriptorsAreToldOnce(t *testing.T) {
	var logged bytes.Buffer
	taken := &inventory.Inventory{Snapshot: &process.Snapshot{Denied: map[string]uint64{}}, Policy: policy.NewSet(policy.Linux)}
	c := newProcess(func(context.Context) (*inventory.Inventory, error) { return taken, nil },
		ProcessConfig{MaxPIDs: 1, MaxGroups: 1}, slog.New(slog.NewTextHandler(&logged, nil)))
	families(t, c)
	if logged.Len() > 0 {
		t.Fatalf("all are held, but %s", &logged)
	}
	taken.Unheld = 7
	for range 3 {
		families(t, c)
	}
	if n := strings.Count(logged.String(), "not_held=7"); n != 1 || !strings.Contains(logged.String(), "level=WARN") {
		t.Errorf("told %d times: %s", n, &logged)
	}
}
