//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// enterContainer makes a file tree of nothing but the program and, read-only,
// the host's, and starts the program in it: what an engine makes of an image
// "from scratch" and the volume "/:/host:ro,rslave". All of it is gone with the
// mount namespace.
const enterContainer = `
set -eu
tree=$1 program=$2
shift 2
mount -t tmpfs container "$tree"
mkdir "$tree/host"
cp "$program" "$tree/server-monitor"
mount --rbind / "$tree/host"
mount --make-rslave "$tree/host"
mount -o remount,bind,ro "$tree/host"
cd "$tree"
exec chroot . /server-monitor "$@"
`

// TestContainer checks that server-monitor sees from a container what it sees on
// the host.
func TestContainer(t *testing.T) {
	rig.NeedRoot(t)
	rig.NeedPrograms(t, "container", "unshare", "mount", "chroot")
	samples := startSamples(t)
	for name, namespaces := range map[string][]string{
		"network and pids of the host": {"--mount"},
		"pids of the host":             {"--mount", "--net", "--uts", "--ipc"},
		"own pids":                     {"--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child"},
	} {
		t.Run(name, func(t *testing.T) { lookFromContainer(t, namespaces, samples) })
	}
}

// lookFromContainer compares what is said of the samples with what is said on
// the host.
func lookFromContainer(t *testing.T, namespaces []string, samples map[string]sampleProcess) {
	t.Helper()
	scan := []string{
		"sh", "-c", enterContainer, "container", t.TempDir(), programs.Monitor, "scan", "--output=json",
		"--path.procfs=/host/proc", "--path.sysfs=/host/sys", "--path.rootfs=/host",
	}
	stdout, stderr, status := rig.Run(t, exec.Command("unshare", append(namespaces, scan...)...), 30*time.Second)
	if status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	inside := readReport(t, stdout)
	stdout, _, _ = run(t, "scan", "--output=json")
	outside := readReport(t, stdout)
	for name, sample := range samples {
		is := func(p *reported) bool { return p.PID == sample.pid }
		got, want := inside.find(is), outside.find(is)
		if len(got) != 1 || len(want) != 1 {
			t.Errorf("%s: seen %d times from inside, %d times from outside", name, len(got), len(want))
			continue
		}
		got[0].CPUSeconds, got[0].ResidentBytes, got[0].State = want[0].CPUSeconds, want[0].ResidentBytes, want[0].State
		forgiveScope(got[0], want[0])
		got[0].StartTime = want[0].StartTime // a tick apart, as the clock is read anew
		if !reflect.DeepEqual(got[0], want[0]) {
			t.Errorf("%s\ninside:  %s %v\noutside: %s %v", name, got[0], got[0].Listen, want[0], want[0].Listen)
		}
	}
}

// forgiveScope leaves out how far ports reach where /proc/1/ns may not be read
// even by root, as in some sandboxes: then it cannot be known from a network
// namespace of its own that the host's is the host's.
func forgiveScope(got, want *reported) {
	if _, err := os.Readlink("/proc/1/ns/net"); err == nil {
		return
	}
	for i := range min(len(got.Listen), len(want.Listen)) {
		got.Listen[i].Scope = want.Listen[i].Scope
	}
	for i := range min(len(got.Findings), len(want.Findings)) {
		if strings.Contains(got.Findings[i].Warning, "_PORT(") {
			got.Findings[i].Text = want.Findings[i].Text
		}
	}
}
