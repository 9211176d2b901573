//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// TestSoak is a short "make soak": with as many descriptors as there are, and
// with so few that no process can be held.
func TestSoak(t *testing.T) {
	bench := filepath.Join(t.TempDir(), "bench")
	build := exec.Command("go", "build", "-trimpath", "-o", bench, "./bench")
	build.Dir, build.Env = programs.Source, append(os.Environ(), "CGO_ENABLED=0")
	if stdout, stderr, status := rig.Run(t, build, 5*time.Minute); status != 0 {
		t.Fatalf("%v: exit status %d\n%s%s", build.Args, status, stdout, stderr)
	}
	for name, flags := range map[string][]string{
		"all descriptors": {"-seconds=25"}, "few descriptors": {"-seconds=12", "-descriptors=256"},
	} {
		t.Run(name, func(t *testing.T) {
			soak := exec.Command(bench, append([]string{"-binary", programs.Monitor, "-scenario=soak"}, flags...)...)
			stdout, stderr, status := rig.Run(t, soak, 3*time.Minute)
			t.Logf("%s", stdout)
			if status != 0 || !strings.Contains(stdout, "resident MiB") {
				t.Errorf("exit status %d: %s", status, stderr)
			}
		})
	}
}
