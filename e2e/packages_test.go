//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// packed are the packages of one version.
type packed struct{ deb, rpm, sums string }

// packLimit is how long building and packing may take.
const packLimit = 5 * time.Minute

// packages are those that were made, by version: two tests use them.
var packages = make(map[string]packed)

// makePackages builds server-monitor in a version and packs it, as "make
// packages" does.
func makePackages(t *testing.T, version string) packed {
	t.Helper()
	if made, ok := packages[version]; ok {
		return made
	}
	out := filepath.Join(programs.Dir, "packages-"+version)
	program := filepath.Join(out, "server-monitor")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -X github.com/prometheus/common/version.Version="+version, "-o", program, "./exporter")
	build.Dir, build.Env = programs.Source, append(os.Environ(), "CGO_ENABLED=0")
	pack := exec.Command("go", "run", "-C", filepath.Join(programs.Source, "deploy", "packages"), ".",
		"-source="+programs.Source, "-out="+out, "-version="+version, "-host="+program, runtime.GOARCH+"="+program)
	pack.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1772323200")
	for _, command := range []*exec.Cmd{build, pack} {
		if stdout, stderr, status := rig.Run(t, command, packLimit); status != 0 {
			t.Fatalf("%v: exit status %d\n%s%s", command.Args, status, stdout, stderr)
		}
	}
	made := packed{deb: onlyFile(t, out, "*.deb"), rpm: onlyFile(t, out, "*.rpm"), sums: filepath.Join(out, "SHA256SUMS")}
	packages[version] = made
	return made
}

// onlyFile is the one file of a folder that a pattern fits.
func onlyFile(t *testing.T, folder, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

// TestPackages installs, upgrades, removes and purges the DEB in a booted
// server, and looks at the RPM.
func TestPackages(t *testing.T) {
	rig.NeedRoot(t)
	s := &server{Machine: rig.NewMachine(t)}
	first, second := makePackages(t, "0.0.1"), makePackages(t, "0.0.2-rc1")
	t.Run("rpm", func(t *testing.T) { checkRPM(t, second.rpm) })
	s.CopyFile(t, first.deb, "/root/first.deb", 0o644)
	s.CopyFile(t, second.deb, "/root/second.deb", 0o644)
	s.CopyFile(t, programs.Sample, "/opt/e2e/sample", 0o755)
	s.Boot(t)
	s.client = s.Client(t)
	for _, step := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"install", s.testInstall}, {"ports", s.testPackagedPorts}, {"doctor", s.testDoctor},
		{"termination", s.testPackagedTermination}, {"upgrade", s.testUpgrade},
		{"disabled", s.testDisabled}, {"remove", s.testRemove}, {"reinstall", s.testReinstall}, {"purge", s.testPurge},
	} {
		if !t.Run(step.name, step.do) {
			return // what follows needs it
		}
	}
}

// testInstall checks that the service runs once the package is installed, and
// that all of the package is as it was packed.
func (s *server) testInstall(t *testing.T) {
	s.Run(t, "dpkg", "--install", "/root/first.deb")
	s.checkRunning(t, "0.0.1")
	if state := strings.TrimSpace(s.Run(t, "systemctl", "is-enabled", "server-monitor.service")); state != "enabled" {
		t.Errorf("the service is %s, want enabled", state)
	}
	if changed := s.Run(t, "dpkg", "--verify", "server-monitor"); changed != "" {
		t.Errorf("dpkg --verify: %s", changed)
	}
	if text := s.Run(t, "systemd-analyze", "verify", "server-monitor.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	if text := s.Run(t, "bash", "-c", ". /usr/share/bash-completion/completions/server-monitor;"+
		" COMP_WORDS=(server-monitor po) COMP_CWORD=1; _server-monitor_bash_autocomplete; echo ${COMPREPLY[@]}"); strings.TrimSpace(text) != "policy" {
		t.Errorf("po is completed to %q, want policy", text)
	}
}

// checkRunning checks that a version serves, as its own user.
func (s *server) checkRunning(t *testing.T, version string) {
	t.Helper()
	rig.Eventually(t, 20*time.Second, func() error {
		if state := s.properties(t, "server-monitor.service")["ActiveState"]; state != "active" {
			return fmt.Errorf("the service is %s: %s", state, s.Journal(t, "server-monitor.service"))
		}
		return nil
	})
	if user := s.properties(t, "server-monitor.service")["User"]; user != "server-monitor" {
		t.Errorf("the user is %q", user)
	}
	scrape := s.scrape(t)
	checkSuccess(t, scrape)
	if found := scrape.Find("server_monitor_exporter_build_info", rig.Labels{"version": version}); len(found) != 1 {
		t.Errorf("it is not version %s: %v", version, scrape["server_monitor_exporter_build_info"])
	}
}

// testPackagedPorts checks that the packaged service sees the ports of all
// users.
func (s *server) testPackagedPorts(t *testing.T) {
	s.startListeners(t)
	s.checkListenPorts(t)
	s.checkSight(t)
}

// testDoctor checks that nothing fails there, with the rights of the service,
// and that doctor knows its own port.
func (s *server) testDoctor(t *testing.T) {
	s.checkDoctor(t, "kernel.pidfd", "kernel.sock_diag", "proc.mount", "systemd", "journal", "policy.store", "files",
		"capability.CAP_SYS_PTRACE", "capability.CAP_DAC_READ_SEARCH", "capability.CAP_KILL", "listener.web", "listener.operator")
}

// checkDoctor checks that doctor, with flags, finds some things well and nothing
// failed.
func (s *server) checkDoctor(t *testing.T, args ...string) {
	t.Helper()
	isFlag := func(arg string) bool { return strings.HasPrefix(arg, "--") }
	pid := s.properties(t, "server-monitor.service")["MainPID"]
	command := append([]string{"server-monitor", "doctor", "-o", "json", "--pid=" + pid}, slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return !isFlag(arg) })...)
	var report struct {
		Checks []struct{ Check, Status, Found string }
	}
	if err := json.Unmarshal([]byte(s.Run(t, command...)), &report); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]string)
	for _, c := range report.Checks {
		seen[c.Check] = c.Status
		t.Logf("%s %s: %s", c.Status, c.Check, c.Found)
		if c.Check == "listener.web" && !strings.Contains(c.Found, "served by server-monitor, process "+pid) {
			t.Errorf("%s: %s", c.Check, c.Found)
		}
	}
	for _, check := range args {
		if !isFlag(check) && seen[check] != "ok" {
			t.Errorf("%s is %q, want ok", check, seen[check])
		}
	}
}

// dropIn is the example of the package once an operator has put it in force.
const dropIn = "/etc/systemd/system/server-monitor.service.d/termination.conf"

// testPackagedTermination puts the example of the package in force: then a
// process of a login can be ended, and a daemon cannot.
func (s *server) testPackagedTermination(t *testing.T) {
	k := &killServer{server: s, address: "127.0.0.1:10043"}
	s.Run(t, "install", "-D", "-m", "644", "/usr/share/doc/server-monitor/examples/termination.conf", dropIn)
	operator := k.token(t, "operator")
	s.Run(t, "systemctl", "daemon-reload")
	k.startMonitor(t)
	s.checkDoctor(t, "--operator.token-file="+tokenFile, "--audit.file="+auditFile, "tokens", "audit", "capability.CAP_KILL", "kernel.pidfd")
	s.runInSession(t, annasPrograms, "^sleep 3001")
	pid := k.pidOf(t, "sleep 1001")
	if answer := k.terminate(t, operator, pid); answer.Outcome != "terminated" || k.lives(pid) {
		t.Errorf("a process of anna: %s", answer)
	}
	var daemon int
	if _, err := fmt.Sscan(s.properties(t, "cron.service")["MainPID"], &daemon); err != nil {
		t.Fatal(err)
	}
	if answer := k.terminate(t, operator, daemon); answer.Outcome == "terminated" || answer.Status == 200 || !k.lives(daemon) {
		t.Errorf("a daemon: %s", answer)
	}
}

// testUpgrade checks that an upgrade restarts the service with the operator's
// flags.
func (s *server) testUpgrade(t *testing.T) {
	edited := "SERVER_MONITOR_OPTS=\"--collector.service.name=e2e-absent\"\n"
	s.WriteFile(t, "/etc/default/server-monitor", edited, 0o644)
	before := s.properties(t, "server-monitor.service")["MainPID"]
	s.Run(t, "dpkg", "--install", "/root/second.deb")
	s.checkRunning(t, "0.0.2-rc1")
	if after := s.properties(t, "server-monitor.service")["MainPID"]; after == before {
		t.Error("the service was not restarted")
	}
	if text := s.Run(t, "cat", "/etc/default/server-monitor"); text != edited {
		t.Errorf("the flags are now %q", text)
	}
	if found := s.scrape(t).Find("server_monitor_service_state", rig.Labels{"name": "e2e-absent"}); len(found) == 0 {
		t.Error("the flags do not hold")
	}
}

// testDisabled checks that a service that was disabled stays so.
func (s *server) testDisabled(t *testing.T) {
	s.Run(t, "systemctl", "disable", "--now", "server-monitor.service")
	s.Run(t, "dpkg", "--install", "/root/second.deb")
	state, _, _ := rig.Run(t, s.Command("systemctl", "is-enabled", "server-monitor.service"), time.Minute)
	if active := s.properties(t, "server-monitor.service")["ActiveState"]; strings.TrimSpace(state) != "disabled" || active != "inactive" {
		t.Errorf("the service is %s and %s, want disabled and inactive", strings.TrimSpace(state), active)
	}
	s.Run(t, "systemctl", "enable", "--now", "server-monitor.service")
}

// testRemove checks that removing stops the service and keeps what operators
// have made.
func (s *server) testRemove(t *testing.T) {
	s.Run(t, "dpkg", "--remove", "server-monitor")
	properties := s.properties(t, "server-monitor.service")
	if properties["ActiveState"] != "inactive" || properties["MainPID"] != "0" {
		t.Errorf("the service is %s, process %s", properties["ActiveState"], properties["MainPID"])
	}
	s.checkFiles(t, map[string]bool{
		"/usr/bin/server-monitor": false, "/usr/lib/systemd/system/server-monitor.service": false, "/usr/share/man/man1/server-monitor.1.gz": false,
		"/etc/default/server-monitor": true, tokenFile: true, "/var/lib/server-monitor": true, auditFile: true, dropIn: true,
	})
	s.Run(t, "id", "server-monitor")
}

// testReinstall checks that what was removed comes back with its flags.
func (s *server) testReinstall(t *testing.T) {
	s.Run(t, "dpkg", "--install", "/root/second.deb")
	s.checkRunning(t, "0.0.2-rc1")
	if found := s.scrape(t).Find("server_monitor_service_state", rig.Labels{"name": "e2e-absent"}); len(found) == 0 {
		t.Error("the flags do not hold")
	}
}

// testPurge checks that nothing stays but the user, and what an operator has put
// beside the package.
func (s *server) testPurge(t *testing.T) {
	s.Run(t, "dpkg", "--purge", "server-monitor")
	s.checkFiles(t, map[string]bool{
		"/usr/bin/server-monitor": false, "/etc/default/server-monitor": false, "/etc/server-monitor": false,
		"/var/lib/server-monitor": false, "/var/log/server-monitor": false, "/usr/share/doc/server-monitor": false,
		"/etc/systemd/system/multi-user.target.wants/server-monitor.service": false,
	})
	if state := s.properties(t, "server-monitor.service")["LoadState"]; state != "not-found" {
		t.Errorf("the unit is %s, want not-found", state)
	}
	s.Run(t, "rm", "-r", filepath.Dir(dropIn)) // fails where it is gone
	s.Run(t, "id", "server-monitor")
	if left := s.Run(t, "sh", "-c", "find / -xdev -name '*server-monitor*' -not -path '/proc/*' -not -path '/root/*' -not -path '/var/log/journal/*' -not -path '/sys/*'"); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// checkFiles checks which files are there.
func (s *server) checkFiles(t *testing.T, want map[string]bool) {
	t.Helper()
	for path, there := range want {
		if _, err := os.Lstat(filepath.Join(s.Root, path)); (err == nil) != there {
			t.Errorf("%s: %v, want it there: %v", path, err, there)
		}
	}
}

// checkRPM installs the RPM into an empty tree, without its scripts, and looks
// at what rpm says of it.
func checkRPM(t *testing.T, file string) {
	rig.NeedPrograms(t, "rpm", "rpm")
	root := t.TempDir()
	rpm := func(args ...string) string {
		t.Helper()
		stdout, stderr, status := rig.Run(t, exec.Command("rpm", append([]string{"--root=" + root}, args...)...), time.Minute)
		if status != 0 {
			t.Fatalf("rpm %v: exit status %d\n%s%s", args, status, stdout, stderr)
		}
		return strings.TrimSpace(stdout)
	}
	const format = "%{NAME} %{VERSION} %{RELEASE} %{LICENSE} %{BUILDHOST} %{BUILDTIME}"
	query := exec.Command("rpm", "--query", "--package", "--queryformat="+format, file)
	if said, _, _ := rig.Run(t, query, time.Minute); said != "server-monitor 0.0.2~rc1 1 Apache-2.0 localhost 1772323200" {
		t.Errorf("rpm says %q", said)
	}
	rpm("--install", "--nodeps", "--noscripts", "--ignorearch", "--nosignature", file)
	if got := rpm("--query", "--configfiles", "server-monitor"); got != "/etc/sysconfig/server-monitor" {
		t.Errorf("configuration: %q", got)
	}
	if got := rpm("--query", "--requires", "server-monitor"); !slices.Contains(strings.Fields(got), "systemd") {
		t.Errorf("requires %q", got)
	}
	for _, path := range []string{"usr/bin/server-monitor", "usr/lib/systemd/system/server-monitor.service", "usr/lib/sysusers.d/server-monitor.conf",
		"usr/lib/firewalld/services/server-monitor.xml", "usr/share/man/man1/server-monitor.1.gz", "usr/share/zsh/site-functions/_server-monitor",
		"usr/share/licenses/server-monitor/LICENSE", "usr/share/doc/server-monitor/examples/termination.conf", "etc/sysconfig/server-monitor"} {
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Error(err)
		}
	}
	installed := exec.Command(filepath.Join(root, "usr/bin/server-monitor"), "--version")
	if said, stderr, status := rig.Run(t, installed, time.Minute); status != 0 || !strings.Contains(said+stderr, "version 0.0.2-rc1") {
		t.Errorf("exit status %d: %s%s", status, said, stderr)
	}
	if changed := rpm("--verify", "--nodeps", "server-monitor"); changed != "" {
		t.Errorf("rpm --verify: %s", changed)
	}
	// An edit survives: what is newer goes beside it.
	config := filepath.Join(root, "etc/sysconfig/server-monitor")
	if err := os.WriteFile(config, []byte("edited\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	rpm("--erase", "--nodeps", "--noscripts", "server-monitor")
	if _, err := os.Stat(config + ".rpmsave"); err != nil {
		t.Errorf("the edit is gone: %v", err)
	}
}
