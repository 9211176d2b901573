//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"server-monitor/e2e/rig"
)

// guides are the operations guide in its languages: the same commands in each.
var guides = []string{"docs/operations.md", "docs/operations.ko.md"}

// guideBlock is a block of commands of the guide, below a comment that says what
// becomes of it:
//
//   - run: NAME: it is run on a booted server; more words may follow a comma;
//   - not run: REASON.
var guideBlock = regexp.MustCompile("(?s)(?:<!-- (run|not run): ([^>]*?) -->\n)?```sh\n(.*?)```")

// block is one of them.
type block struct {
	run            bool
	name, commands string // the name is a reason where it is not run
}

// readGuide reads the blocks of a page. Each must say what becomes of it.
func readGuide(t *testing.T, page string) []block {
	t.Helper()
	var blocks []block
	for _, found := range guideBlock.FindAllStringSubmatch(readPage(t, page), -1) {
		if found[1] == "" {
			t.Errorf("%s: is this run?\n%s", page, found[3])
		}
		b := block{found[1] == "run", found[2], found[3]}
		if b.run {
			b.name, _, _ = strings.Cut(b.name, ",")
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// TestGuidePages checks that the pages have the same commands, that the flags
// and metrics they name exist, and that the list of what was not run is whole.
func TestGuidePages(t *testing.T) {
	help, _, _ := run(t, "--help-long")
	metrics := readPage(t, filepath.Join("docs", "metrics.md"))
	first := readGuide(t, guides[0])
	for _, page := range guides {
		text := readPage(t, page)
		for _, name := range namesIn(text) {
			if flag, ok := strings.CutPrefix(name, "--"); ok && !strings.Contains(help, "--"+flag) && !strings.Contains(help, "--[no-]"+flag) ||
				!ok && !strings.Contains(metrics, "`"+name+"`") {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
		blocks := readGuide(t, page)
		if len(blocks) != len(first) {
			t.Fatalf("%s has %d blocks, %s %d", page, len(blocks), guides[0], len(first))
		}
		_, list, _ := strings.Cut(text, "\n<!-- not run: the list -->\n")
		for i, b := range blocks {
			if b.run != first[i].run || b.run && b.name != first[i].name || withoutComments(b.commands) != withoutComments(first[i].commands) {
				t.Errorf("%s differs:\n%s\nfrom %s:\n%s", page, b.commands, guides[0], first[i].commands)
			}
			if program := strings.Fields(withoutComments(b.commands))[0]; !b.run && !strings.Contains(list, "`"+program) {
				t.Errorf("%s: %s is not run, and not in the list of what was not", page, program)
			}
		}
	}
}

var comment = regexp.MustCompile(`(?m)(^| +)(#|//) .*\n?`)

// withoutComments drops the comments of commands, which are in the language of
// the page.
func withoutComments(commands string) string { return comment.ReplaceAllString(commands, "") }

// operations is a server on which the guide is followed. It is Debian's, with the
// RPM installed by rpm, as Rocky Linux would.
type operations struct {
	*killServer
	versions [2]packed
}

// TestOperations follows the guide, and looks at what came of each step.
func TestOperations(t *testing.T) {
	rig.NeedRoot(t)
	rig.NeedPrograms(t, "rpm", "rpm", "ldd")
	o := &operations{killServer: &killServer{server: &server{Machine: rig.NewMachine(t)}, address: "127.0.0.1:10043"}}
	o.versions = [2]packed{makePackages(t, "0.0.1"), makePackages(t, "0.0.2-rc1")}
	o.prepare(t)
	o.Boot(t)
	o.client = o.Client(t)
	if !t.Run("rpm", o.testInstallRPM) {
		return
	}
	for _, b := range readGuide(t, guides[0]) {
		if !b.run {
			continue
		}
		step, ok := guideSteps[b.name]
		if !ok {
			t.Errorf("nothing looks at %s of the guide", b.name)
		}
		t.Run(b.name, func(t *testing.T) { o.follow(t, b, step) })
	}
	t.Run("erase", o.testEraseRPM)
}

// guideStep is what a block of the guide finds, and what is to be seen after it.
type guideStep struct {
	// in changes what cannot be on this machine as it is in the guide.
	in *strings.Replacer
	// before prepares what the guide takes for granted.
	before func(o *operations, t *testing.T)
	// runs takes the place of running the commands in the machine.
	runs func(o *operations, t *testing.T, commands string)
	// after looks at what came of it, and at what it printed.
	after func(o *operations, t *testing.T, printed string)
}

// guideSteps are those of the guide, by the names of their blocks.
var guideSteps = map[string]guideStep{
	"checksum": {after: (*operations).afterChecksum},
	"start":    {after: (*operations).afterStart},
	"flags":    {after: (*operations).afterFlags},
	"firewall": {runs: (*operations).runFirewall},
	"web":      {in: webHash(), after: (*operations).afterWeb},
	"tokens":   {after: (*operations).afterTokens},
	"rotation": {after: (*operations).afterRotation},
	"audit":    {before: (*operations).endSomething, after: (*operations).afterAudit},
	"nginx":    {in: strings.NewReplacer("-g nginx", "-g www-data"), before: (*operations).beforeNginx, after: (*operations).afterNginx},
	"mongodb":  {in: toFerretDB, before: (*operations).startDatabase, after: (*operations).afterMongoDB},
	"seed":     {in: toFerretDB, after: (*operations).afterSeed},
	"fleet":    {before: (*operations).bringPromtool, after: (*operations).afterFleet},
	"alloy":    {after: (*operations).afterAlloy},
	"backup":   {after: (*operations).afterBackup},
	"doctor":   {after: (*operations).afterDoctor},
	"upgraded": {before: (*operations).upgrade, after: (*operations).afterUpgraded},
}

// toFerretDB leads to the database of the machine, which knows no users and has
// no certificate.
var toFerretDB = strings.NewReplacer(
	"server_monitor:PASSWORD@mongodb.example.com", "mongodb.example.com",
	"policy_editor:PASSWORD@mongodb.example.com", "mongodb.example.com",
	"?tls=true&replicaSet=rs0", "",
)

// webHash puts in the hash that htpasswd would have printed.
func webHash() *strings.Replacer {
	hash, err := bcrypt.GenerateFromPassword([]byte("change me"), bcrypt.MinCost)
	if err != nil {
		panic(err) // the cost is right
	}
	return strings.NewReplacer("$2y$10$...", string(hash))
}

// follow runs a block of the guide as root.
func (o *operations) follow(t *testing.T, b block, step guideStep) {
	if step.before != nil {
		step.before(o, t)
	}
	commands := b.commands
	if step.in != nil {
		if commands = step.in.Replace(commands); commands == b.commands {
			t.Error("nothing of it had to be changed")
		}
	}
	if step.runs != nil {
		step.runs(o, t, commands)
		return
	}
	shell := o.Command("bash", "-c", "set -euo pipefail; cd /root\n"+commands)
	stdout, stderr, status := rig.Run(t, shell, 2*time.Minute)
	if status != 0 {
		t.Fatalf("exit status %d\n%s\nprinted\n%s%s\n%s", status, commands, stdout, stderr, o.Journal(t, "server-monitor.service"))
	}
	step.after(o, t, stdout)
}

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

func (o *operations) afterChecksum(t *testing.T, printed string) {
	if want := filepath.Base(o.versions[0].rpm) + ": OK\n"; printed != want {
		t.Errorf("it prints %q, want %q", printed, want)
	}
}

func (o *operations) afterStart(t *testing.T, printed string) {
	o.checkRunning(t, "0.0.1")
	if !strings.Contains(printed, "capability.CAP_SYS_PTRACE") {
		t.Errorf("doctor and scan say\n%s", printed)
	}
	o.checkExposure(t, "`server-monitor.service`")
	if state := strings.TrimSpace(o.Run(t, "systemctl", "is-enabled", "server-monitor.service")); state != "enabled" {
		t.Errorf("the service is %s, want enabled", state)
	}
}

func (o *operations) afterFlags(t *testing.T, _ string) {
	services := o.scrape(t)["server_monitor_service_state"]
	names := make(map[string]bool)
	for _, m := range services.GetMetric() {
		if rig.LabelsOf(m)["state"] == "not_found" {
			names[rig.LabelsOf(m)["name"]] = true
		}
	}
	if names["docker"] || !names["sshd"] { // Debian calls it ssh
		t.Errorf("reported although absent: %v, want sshd and not docker", names)
	}
}

// runFirewall gives the same options to the offline command of firewalld, with a
// configuration of its own.
func (o *operations) runFirewall(t *testing.T, commands string) {
	rig.NeedPrograms(t, "firewalld", "firewall-offline-cmd")
	folder := filepath.Join(programs.Dir, "firewalld") // kept from step to step
	if err := os.MkdirAll(filepath.Join(folder, "services"), 0o755); err != nil {
		t.Fatal(err)
	}
	packaged, err := os.ReadFile(filepath.Join(o.Root, "/usr/lib/firewalld/services/server-monitor.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "services", "server-monitor.xml"), packaged, 0o600); err != nil {
		t.Fatal(err)
	}
	offline := func(args ...string) string {
		stdout, stderr, status := rig.Run(t, exec.Command("firewall-offline-cmd", append([]string{"--system-config=" + folder}, args...)...), time.Minute)
		if status != 0 {
			t.Fatalf("firewall-offline-cmd %v: exit status %d\n%s%s", args, status, stdout, stderr)
		}
		return stdout
	}
	for line := range strings.Lines(commands) {
		words := strings.Fields(line)
		switch {
		case slices.Equal(words, []string{"firewall-cmd", "--reload"}):
		case len(words) < 3 || words[0] != "firewall-cmd" || words[1] != "--permanent":
			t.Errorf("%q changes no lasting configuration", line)
		default:
			for i, word := range words { // which it calls otherwise
				words[i] = strings.Replace(word, "--remove-service=", "--remove-service-from-zone=", 1)
			}
			offline(words[2:]...)
		}
	}
	offline("--check-config")
	info := offline("--info-service=server-monitor")
	if !strings.Contains(info, "ports: 10042/tcp\n") {
		t.Errorf("the service is %s", info)
	}
	zone := offline("--info-zone=monitoring")
	if !strings.Contains(zone, "sources: 192.0.2.10\n") || !strings.Contains(zone, "services: server-monitor\n") && !strings.Contains(zone, "ports: 8443/tcp\n") {
		t.Errorf("the zone is %s", zone)
	}
}

// afterWeb checks that the metrics ask for a password, over TLS, and that nobody
// is told of the operator listener but this machine.
func (o *operations) afterWeb(t *testing.T, printed string) {
	if !strings.Contains(printed, `server_monitor_processes{verdict="safe"}`) {
		t.Errorf("it prints %q", printed)
	}
	if status, _ := rig.Get(t, o.client, "http://127.0.0.1:10042/metrics"); status != http.StatusBadRequest {
		t.Errorf("metrics in the clear: status %d, want 400", status)
	}
	if status, _ := rig.Get(t, o.client, "http://127.0.0.1:10043/api/v1/services"); status != http.StatusOK {
		t.Errorf("the operator listener: status %d, want 200", status)
	}
	code := o.Run(t, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", "/etc/server-monitor/server.crt", "https://localhost:10042/metrics")
	if code != "401" {
		t.Errorf("without a password: status %s, want 401", code)
	}
}

func (o *operations) afterTokens(t *testing.T, printed string) {
	if !regexp.MustCompile(`(?m)^[0-9a-f]{8}  alice +operator `).MatchString(printed) || !strings.Contains(printed, `"processes":`) {
		t.Errorf("it prints %s", printed)
	}
	for path, want := range map[string]string{
		"/etc/server-monitor": "750 root", tokenFile: "600 root", "/root/alice.token": "600 root", auditFile: "600 server-monitor",
	} {
		if got := strings.TrimSpace(o.Run(t, "stat", "--format=%a %U", path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if text := o.Run(t, "systemd-analyze", "verify", "server-monitor.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	o.checkExposure(t, "`+ termination.conf`")
}

// alice is the token that the guide has made.
func (o *operations) alice(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(o.Run(t, "cat", "/root/alice.token"))
}

func (o *operations) afterRotation(t *testing.T, printed string) {
	if strings.Count(printed, "alice") != 1 {
		t.Errorf("the tokens are\n%s", printed)
	}
	rig.Eventually(t, 10*time.Second, func() error {
		if answer := o.call(t, o.alice(t), "/processes?limit=1", ""); answer.Status != http.StatusOK {
			return fmt.Errorf("the new token: %s", answer)
		}
		return nil
	})
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

func (o *operations) afterAudit(t *testing.T, printed string) {
	if !regexp.MustCompile(`(?m)^\["[^"]+","alice \([0-9a-f]{8}\)","127.0.0.1","outcome","terminated","sleep",\d+\]$`).MatchString(printed) {
		t.Errorf("it prints %s", printed)
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

func (o *operations) afterMongoDB(t *testing.T, _ string) {
	if text := o.Run(t, "systemd-analyze", "verify", "server-monitor.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	rig.Eventually(t, 30*time.Second, func() error {
		if up := o.metric(t, "server_monitor_policy_store_up", nil); up != 1 {
			return fmt.Errorf("the store is away\n%s", o.Journal(t, "server-monitor.service"))
		}
		return nil
	})
	pid := o.properties(t, "server-monitor.service")["MainPID"]
	for _, file := range []string{"environ", "cmdline"} {
		if strings.Contains(o.Run(t, "cat", "/proc/"+pid+"/"+file), "mongodb://") {
			t.Errorf("%s holds the connection string", file)
		}
	}
}

func (o *operations) afterSeed(t *testing.T, printed string) {
	if !strings.Contains(printed, " added\n") || !strings.Contains(printed, "made linux/acme-agent\n") || !strings.Contains(printed, ": 0 malformed fields") {
		t.Errorf("it prints %s", printed)
	}
}

// bringPromtool puts Prometheus' tool into the machine.
func (o *operations) bringPromtool(t *testing.T) {
	rig.NeedPrograms(t, "prometheus", "promtool")
	o.transplant(t, "promtool")
}

func (o *operations) afterFleet(t *testing.T, printed string) {
	if !strings.Contains(printed, "SUCCESS: /etc/prometheus/prometheus.yml is valid") || strings.Count(printed, "rules found") < 5 {
		t.Errorf("promtool says %s", printed)
	}
}

// afterAlloy checks the drop-in with a unit of Alloy's package that it fits.
func (o *operations) afterAlloy(t *testing.T, _ string) {
	o.WriteFile(t, "/etc/systemd/system/alloy.service", "[Service]\nExecStart=/usr/bin/env\nUser=nobody\n", 0o644)
	o.Run(t, "systemctl", "daemon-reload")
	if text := o.Run(t, "systemd-analyze", "verify", "alloy.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	if got := o.properties(t, "alloy.service")["AmbientCapabilities"]; got != "cap_dac_read_search" {
		t.Errorf("AmbientCapabilities=%s", got)
	}
	o.Run(t, "systemctl", "start", "alloy.service")
	rig.Eventually(t, 10*time.Second, func() error {
		said, host := o.Journal(t, "alloy.service"), strings.TrimSpace(o.Run(t, "hostname"))
		if !strings.Contains(said, "LOKI_URL=https://loki.example.com/loki/api/v1/push\n") || !strings.Contains(said, "SERVER_MONITOR_HOST="+host+"\n") {
			return fmt.Errorf("the environment is %s", said)
		}
		return nil
	})
}

func (o *operations) afterBackup(t *testing.T, printed string) {
	if !strings.Contains(printed, "0 added, 0 changed, ") || !strings.Contains(o.Run(t, "cat", "/root/policy.json"), "acme-agent") {
		t.Errorf("it prints %s", printed)
	}
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

// afterDoctor: with flags, rights and database of the guide, all is well.
func (o *operations) afterDoctor(t *testing.T, printed string) {
	if strings.Contains(printed, "🔴") || !strings.Contains(printed, "policy.seeded") {
		t.Errorf("doctor says\n%s", printed)
	}
}

func (o *operations) afterUpgraded(t *testing.T, printed string) {
	if !strings.Contains(printed, "version 0.0.1") || !strings.Contains(printed, "\nactive\n") {
		t.Errorf("it prints %s", printed)
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
