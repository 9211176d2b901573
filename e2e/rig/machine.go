//go:build e2e

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Machine is a Debian server that runs its own systemd in namespaces of its
// own. From outside it has the loopback device only.
type Machine struct {
	// Root is its file tree, as the host sees it.
	Root   string
	leader int // the host's pid of its first process
	nspawn *Program
}

// propagated is where nspawn keeps a folder for each machine.
const propagated = "/run/systemd/nspawn/propagate"

// bootLimit is how long the machine may take to boot.
const bootLimit = 90 * time.Second

// NewMachine makes the file tree of a server that is not yet running.
func NewMachine(t testing.TB) *Machine {
	t.Helper()
	NeedRoot(t)
	NeedPrograms(t, "machine", "debootstrap", "systemd-nspawn", "systemctl", "systemd-sysusers", "nsenter", "tar", "zstd")
	return &Machine{Root: unpackTree(t)}
}

// Boot starts the machine and waits until its systemd has started everything.
func (m *Machine) Boot(t testing.TB) {
	t.Helper()
	name := filepath.Base(m.Root)
	if err := removeLeftovers(propagated); err != nil {
		t.Fatal(err)
	}
	nspawn := []string{
		"systemd-nspawn", "--quiet", "--boot", "--directory=" + m.Root, "--machine=" + name, "--console=pipe",
		"--register=no", "--keep-unit", "--private-network", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
		"--bind=/dev/fuse",
	}
	// It makes its cgroups below that in which it is: one of our own, so that
	// machines do not meet and all of it can be ended at once.
	join := `for folder; do [ "$folder" = -- ] && break; echo $$ >"$folder/cgroup.procs" || exit; shift; done; shift; exec "$@"`
	args := append([]string{"-c", join, "join"}, makeCgroups(t, name)...)
	cmd := exec.Command("sh", append(append(args, "--"), nspawn...)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // which halts the machine; it outlives SIGKILL
	m.nspawn = Start(t, cmd)
	t.Cleanup(func() { os.RemoveAll(filepath.Join(propagated, name)) })
	Eventually(t, bootLimit, func() error {
		if err := m.findLeader(); err != nil {
			return err
		}
		state, err := m.Command("systemctl", "is-system-running").CombinedOutput()
		if word := strings.TrimSpace(string(state)); word != "running" && word != "degraded" {
			return fmt.Errorf("the machine is %q (%w); its console:\n%s", word, err, m.nspawn.Output())
		}
		return nil
	})
}

// findLeader finds the first process of the machine: the child of nspawn, once
// another child, which prepares the namespaces, has ended.
func (m *Machine) findLeader() error {
	parent := strconv.Itoa(m.nspawn.Process.Pid)
	children, err := exec.Command("pgrep", "--parent", parent).Output()
	if err != nil {
		return fmt.Errorf("no first process of the machine: %w\n%s", err, m.nspawn.Output())
	}
	m.leader, err = strconv.Atoi(strings.TrimSpace(string(children)))
	return err
}

// Command makes a command that runs in the machine as root, outside of all its
// units.
func (m *Machine) Command(args ...string) *exec.Cmd {
	enter := []string{"--target", strconv.Itoa(m.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
		"--root", "--wd", "--"}
	cmd := exec.Command("nsenter", append(enter, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8", "HOME=/root"}
	return cmd
}

// commandLimit is how long a command in the machine may take.
const commandLimit = 30 * time.Second

// Run runs a command that must succeed, and returns what it prints.
func (m *Machine) Run(t testing.TB, args ...string) string {
	t.Helper()
	stdout, stderr, status := Run(t, m.Command(args...), commandLimit)
	if status != 0 {
		t.Fatalf("%s: exit status %d\n%s%s", strings.Join(args, " "), status, stdout, stderr)
	}
	return stdout
}

// Start starts a program in a unit of its own, which properties describe.
func (m *Machine) Start(t testing.TB, unit string, properties []string, program ...string) {
	t.Helper()
	args := []string{"systemd-run", "--quiet", "--unit=" + unit, "--service-type=exec"}
	for _, property := range properties {
		args = append(args, "--property="+property)
	}
	m.Run(t, append(append(args, "--"), program...)...)
}

// StartSample starts e2e/sample like Start and waits until it is what its
// arguments ask for.
func (m *Machine) StartSample(t testing.TB, unit string, properties []string, sample ...string) {
	t.Helper()
	m.Start(t, unit, properties, sample...)
	Eventually(t, commandLimit, func() error {
		if journal := m.Journal(t, unit+".service"); !readyLine.MatchString(journal) {
			return fmt.Errorf("%s is not ready: %s", unit, journal)
		}
		return nil
	})
}

// WriteFile writes a file of the machine.
func (m *Machine) WriteFile(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	file := filepath.Join(m.Root, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// CopyFile copies a file of the host into the machine.
func (m *Machine) CopyFile(t testing.TB, from, to string, mode os.FileMode) {
	t.Helper()
	file := filepath.Join(m.Root, to)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := copyFile(from, file, mode); err != nil {
		t.Fatal(err)
	}
}

// Prepare runs a program of the host on the tree of a machine that is not yet
// running; "ROOT" in an argument stands for the tree.
func (m *Machine) Prepare(t testing.TB, name string, args ...string) {
	t.Helper()
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "ROOT", m.Root)
	}
	succeed(t, commandLimit, name, args...)
}

// Journal is what a unit of the machine has logged.
func (m *Machine) Journal(t testing.TB, unit string) string {
	t.Helper()
	return m.Run(t, "journalctl", "--no-pager", "--output=cat", "--unit="+unit)
}
