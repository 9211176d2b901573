//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// prepare puts into the tree what a Rocky Linux has and the machine has not.
func (o *operations) prepare(t *testing.T) {
	t.Helper()
	for i, p := range o.versions {
		o.CopyFile(t, p.rpm, fmt.Sprintf("/root/%d/%s", i, filepath.Base(p.rpm)), 0o644)
	}
	o.CopyFile(t, o.versions[0].rpm, "/root/"+filepath.Base(o.versions[0].rpm), 0o644)
	o.CopyFile(t, o.versions[0].sums, "/root/SHA256SUMS", 0o644)
	for _, program := range []string{"rpm", "curl", "jq"} {
		o.transplant(t, program)
	}
	if out, err := exec.Command("cp", "--archive", "/usr/lib/rpm", filepath.Join(o.Root, "/opt/e2e/rpm/config")).CombinedOutput(); err != nil {
		t.Fatalf("configuration of rpm: %v: %s", err, out)
	}
	// Services start when an administrator says so (systemd.preset(5)).
	o.WriteFile(t, "/usr/lib/systemd/system-preset/99-default-disable.preset", "disable *\n", 0o644)
	o.WriteFile(t, "/etc/hosts", "127.0.0.1 localhost monitor.example.com mongodb.example.com\n::1 localhost\n", 0o644)
	o.Prepare(t, "systemctl", "--root=ROOT", "disable", "nginx.service")
	if err := os.Remove(filepath.Join(o.Root, "/etc/nginx/sites-enabled/default")); err != nil {
		t.Fatal(err) // which Rocky Linux does not have
	}
}

// transplant puts a program of the host into the machine, with the libraries
// that it needs, so that neither tree knows of the other.
func (o *operations) transplant(t *testing.T, name string) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	folder := "/opt/e2e/" + name
	o.CopyFile(t, program, folder+"/"+name, 0o755)
	listed, err := exec.Command("ldd", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	loader := ""
	for _, library := range regexp.MustCompile(`/\S+`).FindAllString(string(listed), -1) {
		o.CopyFile(t, library, folder+"/lib/"+filepath.Base(library), 0o755)
		if strings.HasPrefix(filepath.Base(library), "ld-linux") {
			loader = folder + "/lib/" + filepath.Base(library)
		}
	}
	o.WriteFile(t, "/usr/local/bin/"+name, "#!/bin/sh\nexport RPM_CONFIGDIR=/opt/e2e/rpm/config\nexec "+
		strings.Join([]string{loader, "--library-path", folder + "/lib", folder + "/" + name}, " ")+" \"$@\"\n", 0o755)
}

// rpm runs rpm in the machine. What the package requires is there, but not as
// an RPM.
func (o *operations) rpm(t *testing.T, args ...string) string {
	t.Helper()
	return o.Run(t, append([]string{"rpm", "--dbpath=/var/lib/rpm"}, args...)...)
}

// testInstallRPM installs the RPM, whose scripts run in the booted server: the
// user is there, and nothing is enabled or started.
func (o *operations) testInstallRPM(t *testing.T) {
	said := o.rpm(t, "--install", "--nodeps", "--ignorearch", "--nosignature", "/root/0/"+filepath.Base(o.versions[0].rpm))
	if said != "" {
		t.Errorf("the scripts say %s", said)
	}
	o.Run(t, "id", "server-monitor")
	properties := o.properties(t, "server-monitor.service")
	if properties["LoadState"] != "loaded" || properties["ActiveState"] != "inactive" || properties["UnitFileState"] != "disabled" {
		t.Errorf("the service is %s, %s, %s", properties["LoadState"], properties["ActiveState"], properties["UnitFileState"])
	}
	if changed := o.rpm(t, "--verify", "--nodeps", "server-monitor"); changed != "" {
		t.Errorf("rpm --verify: %s", changed)
	}
}

// alice is the token that the guide has made.
func (o *operations) alice(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(o.Run(t, "cat", "/root/alice.token"))
}

// endSomething lets alice end a process of anna, for the audit.
func (o *operations) endSomething(t *testing.T) {
	o.runInSession(t, annasPrograms, "^sleep 3001")
	rig.Eventually(t, 20*time.Second, func() error { return o.Command("pgrep", "--full", "^sleep 1001$").Run() })
	pid := o.pidOf(t, "sleep 1001")
	if answer := o.terminate(t, o.alice(t), pid); answer.Outcome != "terminated" || o.lives(pid) {
		t.Errorf("a process of anna: %s", answer)
	}
}

// startDatabase starts FerretDB, which stands for MongoDB.
func (o *operations) startDatabase(t *testing.T) {
	o.CopyFile(t, programs.Database(t), "/opt/e2e/ferretdb", 0o755)
	o.Run(t, "mkdir", "/var/lib/ferretdb")
	o.Start(t, "ferretdb", nil, "/opt/e2e/ferretdb", "-listen=127.0.0.1:27017", "-data=/var/lib/ferretdb")
	rig.Eventually(t, time.Minute, func() error { return o.Command("bash", "-c", "</dev/tcp/127.0.0.1/27017").Run() })
}

// metric asks for one value, as Prometheus would, of the service on loopback.
func (o *operations) metric(t *testing.T, name string, labels rig.Labels) float64 {
	t.Helper()
	value, err := o.scrape(t).Value(name, labels)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// bringPromtool puts Prometheus' tool into the machine.
func (o *operations) bringPromtool(t *testing.T) {
	rig.NeedPrograms(t, "prometheus", "promtool")
	o.transplant(t, "promtool")
}

// upgrade installs the next version, as "dnf upgrade" does: the service restarts
// and keeps its flags.
func (o *operations) upgrade(t *testing.T) {
	config := o.Run(t, "cat", "/etc/sysconfig/server-monitor")
	before := o.properties(t, "server-monitor.service")["MainPID"]
	o.rpm(t, "--upgrade", "--nodeps", "--ignorearch", "--nosignature", "/root/1/"+filepath.Base(o.versions[1].rpm))
	o.checkRunning(t, "0.0.2-rc1")
	if after := o.properties(t, "server-monitor.service")["MainPID"]; after == before {
		t.Error("the service was not restarted")
	}
	o.rpm(t, "--upgrade", "--oldpackage", "--nodeps", "--ignorearch", "--nosignature", "/root/0/"+filepath.Base(o.versions[0].rpm))
	o.checkRunning(t, "0.0.1")
	if now := o.Run(t, "cat", "/etc/sysconfig/server-monitor"); now != config {
		t.Errorf("the flags are now %q", now)
	}
	if state := o.properties(t, "server-monitor.service")["UnitFileState"]; state != "enabled" {
		t.Errorf("the service is %s, want enabled", state)
	}
}

// testEraseRPM erases the package: the service stops and is disabled, and what
// operators have made stays.
func (o *operations) testEraseRPM(t *testing.T) {
	o.rpm(t, "--erase", "--nodeps", "server-monitor")
	properties := o.properties(t, "server-monitor.service")
	if properties["ActiveState"] != "inactive" || properties["MainPID"] != "0" || properties["UnitFileState"] == "enabled" {
		t.Errorf("the service is %s, process %s, %s", properties["ActiveState"], properties["MainPID"], properties["UnitFileState"])
	}
	o.checkFiles(t, map[string]bool{
		"/usr/bin/server-monitor": false, "/usr/lib/systemd/system/server-monitor.service": false, "/usr/share/doc/server-monitor/operations.md": false,
		"/etc/systemd/system/multi-user.target.wants/server-monitor.service": false, "/etc/sysconfig/server-monitor.rpmsave": true,
		tokenFile: true, auditFile: true, dropIn: true,
	})
	o.Run(t, "id", "server-monitor")
}

// exposureOf is a row of the guide's table of systemd-analyze security.
var exposureOf = regexp.MustCompile(`(?m)^\| ([^|]+?) \| (\d\.\d) \|$`)

// checkExposure checks the figure that the guide tells of the unit as it is now.
func (o *operations) checkExposure(t *testing.T, unit string) {
	t.Helper()
	stdout, stderr, _ := rig.Run(t, o.Command("systemd-analyze", "security", "--no-pager", "server-monitor.service"), time.Minute)
	got := regexp.MustCompile(`Overall exposure level for server-monitor\.service: (\d\.\d)`).FindStringSubmatch(stdout)
	if got == nil {
		t.Fatalf("systemd-analyze security: %s%s", stdout, stderr)
	}
	for _, page := range guides {
		want := ""
		for _, row := range exposureOf.FindAllStringSubmatch(readPage(t, page), -1) {
			if row[1] == unit {
				want = row[2]
			}
		}
		if got[1] != want {
			t.Errorf("%s: %s is at %s, measured is %s", page, unit, want, got[1])
		}
	}
}
