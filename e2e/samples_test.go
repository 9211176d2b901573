//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"server-monitor/e2e/rig"
)

// nobody is the user id of an ordinary user that every machine has.
const nobody = 65534

// highMemoryRatio is the threshold of HIGH_MEMORY_USAGE for the tests, which
// cannot fill a fifth of the machine.
const highMemoryRatio = 0.004

// ratioFlag tells server-monitor of it.
var ratioFlag = fmt.Sprintf("--risk.high-memory-ratio=%g", highMemoryRatio)

// sampleProcess is a process that the test has started, and what server-monitor
// has to say of it.
type sampleProcess struct {
	pid      int
	verdict  string
	known    bool
	warnings []string // code|severity|subject|expected
	ports    []string // port|protocol|scope
}

// startSamples starts a process for each finding.
func startSamples(t *testing.T) map[string]sampleProcess {
	t.Helper()
	rig.NeedRoot(t)
	databases := freePorts(t, 27017, 6379, 9200, 11211, 5432, 3306)
	public, local, system := databases[0], databases[1], freePorts(t, 1000, 999, 998)[0]
	tool := rig.Install(t, programs.Sample, "/opt", "e2e-tool")
	writable := rig.Install(t, programs.Sample, "/opt", "e2e-writable")
	deleted := rig.Install(t, programs.Sample, "/opt", "e2e-deleted")
	suspicious := rig.Install(t, "/usr/bin/sleep", "/tmp", "sleep")
	started := map[string]sampleProcess{
		"public listener": {
			pid: rig.StartSample(t, exec.Command(tool, "listen", "0.0.0.0:"+public)), verdict: "danger",
			warnings: []string{"RUNNING_AS_ROOT|warn||false", "PUBLIC_PORT|danger|" + public + "|false"},
			ports:    []string{public + "|tcp|public"},
		},
		"listener on a port of the system": {
			pid: rig.StartSample(t, exec.Command(tool, "listen", ":"+system)), verdict: "danger",
			warnings: []string{"RUNNING_AS_ROOT|warn||false", "SYSTEM_PORT|danger|" + system + "|false"},
			ports:    []string{system + "|tcp|public"},
		},
		"local listener": {
			pid: rig.StartSample(t, ordinary(tool, "listen", "127.0.0.1:"+local)), verdict: "caution",
			ports: []string{local + "|tcp|loopback"},
		},
		"copy of sleep in /tmp": {
			pid: startPlain(t, ordinary(suspicious, "1000")), verdict: "danger",
			warnings: []string{"SUSPICIOUS_PATH|danger|" + suspicious + "|false"},
		},
		"writable": {
			pid: rig.StartSample(t, ordinary(writable, "sleep")), verdict: "danger",
			warnings: []string{"WRITABLE_EXE|danger|" + writable + "|false"},
		},
		"deleted": {
			pid: rig.StartSample(t, ordinary(deleted, "sleep")), verdict: "danger",
			warnings: []string{"DELETED_EXE|warn|" + deleted + "|false"},
		},
		"program in memory": {
			pid: rig.StartSample(t, ordinary(tool, "memfd")), verdict: "danger",
			warnings: []string{"FILELESS_EXE|danger|/memfd:sample|false"},
		},
		"false kernel thread": {
			pid: rig.StartSample(t, named("[kworker/0:1]", ordinary(tool, "rename", "kworker/0:1"))), verdict: "danger",
			warnings: []string{"MASQUERADE|danger|kworker/0:1|false"},
		},
		"memory hog": {
			pid: rig.StartSample(t, ordinary(tool, "hog", hogSize(t))), verdict: "caution",
			warnings: []string{"HIGH_MEMORY_USAGE|info||false"},
		},
		"unknown tool": {pid: rig.StartSample(t, ordinary(tool, "sleep")), verdict: "caution"},
		"known tool":   {pid: startPlain(t, ordinary("/usr/bin/sleep", "1000")), verdict: "safe", known: true},
	}
	if err := os.Chmod(writable, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(deleted); err != nil {
		t.Fatal(err)
	}
	return started
}

// ordinary makes a command that an ordinary user runs.
func ordinary(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// named lets a command call itself by another first word.
func named(name string, cmd *exec.Cmd) *exec.Cmd {
	cmd.Args[0] = name
	return cmd
}

// startPlain starts a program that does not say when it is ready.
func startPlain(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	p := rig.Start(t, cmd)
	rig.AwaitExec(t, p.Process.Pid, cmd.Path)
	return p.Process.Pid
}

// freePorts picks those ports on which nobody listens, at least two.
func freePorts(t *testing.T, ports ...int) []string {
	t.Helper()
	var free []string
	for _, port := range ports {
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		listener.Close()
		free = append(free, itoa(port))
	}
	if len(free) < 2 {
		t.Fatalf("too many of the ports %v are in use", ports)
	}
	return free
}

// hogSize is a size in MiB that is over the threshold for the tests.
func hogSize(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	var kib float64
	if _, err := fmt.Sscanf(string(text), "MemTotal: %g kB", &kib); err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(int(kib * 1.25 * highMemoryRatio / 1024))
}

func itoa(n int) string { return strconv.Itoa(n) }
