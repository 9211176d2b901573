//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// TestDeployConfiguration lets Prometheus' and Alertmanager's own tools check
// what the demo stack gives them.
func TestDeployConfiguration(t *testing.T) {
	rig.NeedPrograms(t, "prometheus", "promtool", "amtool")
	deploy := filepath.Join(programs.Source, "deploy")
	for _, command := range [][]string{
		{"promtool", "check", "config", filepath.Join(deploy, "prometheus", "prometheus.yml")},
		{"amtool", "check-config", filepath.Join(deploy, "alertmanager", "alertmanager.yml")},
	} {
		stdout, stderr, status := rig.Run(t, exec.Command(command[0], command[1:]...), 30*time.Second)
		if status != 0 {
			t.Errorf("%v: status %d\n%s%s", command, status, stdout, stderr)
		}
	}
}
