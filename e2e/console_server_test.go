//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// consoleOptions are the flags of the server-monitor whose console is looked at
// on a booted server.
var consoleOptions = []string{
	"--web.listen-address=127.0.0.1:10042", "--operator.token-file=/etc/server-monitor/tokens", "--operator.log-file=/var/log/syslog",
	"--collector.service.name=nginx", "--collector.service.name=ssh", "--collector.service.name=rsyslog", "--collector.service.name=cron",
	"--collector.service.name=redis-server", "--collector.service.name=docker", "--collector.service.name=backup",
}

// TestConsoleOnServer looks at the console of a booted Debian server, with the
// services, logs and sessions of its systemd. Its pictures are those of the README.
func TestConsoleOnServer(t *testing.T) {
	m := rig.NewMachine(t)
	m.CopyFile(t, programs.Monitor, "/usr/bin/server-monitor", 0o755)
	for _, path := range []string{"/opt/shop/shop", "/opt/shop/worker"} {
		m.CopyFile(t, programs.Sample, path, 0o755)
	}
	m.WriteFile(t, "/etc/systemd/system/backup.service", "[Unit]\nDescription=Backup\n[Service]\nExecStart=/bin/false\n", 0o644)
	m.Boot(t)
	m.Run(t, "mkdir", "-p", "/etc/server-monitor")
	token := strings.TrimSpace(m.Run(t, "server-monitor", "token", "create", "--operator.token-file=/etc/server-monitor/tokens", "--name=e2e", "--role=operator"))
	m.Start(t, "server-monitor", nil, append([]string{"/usr/bin/server-monitor"}, consoleOptions...)...)
	_ = m.Command("systemctl", "start", "backup.service").Run() // it fails
	m.Run(t, "systemctl", "stop", "cron.service")
	worker := startUsersPrograms(t, m)
	m.Run(t, "cp", "/opt/shop/shop", "/tmp/updater")
	m.Start(t, "updater", nil, "/tmp/updater", "listen", "0.0.0.0:27017") // conspicuous in every way
	m.Run(t, "logger", "--priority=daemon.warning", "--tag=kernel", "disk /dev/vda1 is filling up: [WARN] 81 % used")
	m.Run(t, "logger", "--priority=daemon.err", "--tag=backup", "[ERROR] the backup of /srv has failed")

	p := m.StartBrowser(t, "en-US").Open(t, "http://127.0.0.1:10043/#token="+token, desktopWidth, 1360)
	awaitFilled(t, p)
	p.Await(t, 15*time.Second, `document.getElementById('log').innerText.includes('the backup of /srv has failed')`, `document.getElementById('log').innerText`)
	testServicesOf(t, p)
	testJournal(t, m, p)
	testSystemsProcess(t, p)
	if *update {
		time.Sleep(time.Minute) // until there is a history to see
	}
	p.Evaluate(t, `scrollTo(0, 0)`, nil)
	picture(t, p, "console-desktop.png")
	takePictures(t, p)
	testUsersProcess(t, m, p, worker)
	for _, problem := range p.Problems() {
		t.Errorf("the browser complains: %s", problem)
	}
}

// startUsersPrograms lets a user, who lingers, run programs in systemd's session
// of that user, and returns the pid of one.
func startUsersPrograms(t *testing.T, m *rig.Machine) string {
	t.Helper()
	m.Run(t, "useradd", "--create-home", "--uid=1000", "alice")
	m.Run(t, "loginctl", "enable-linger", "alice")
	run := func(unit string, program ...string) {
		t.Helper()
		args := []string{"runuser", "--user=alice", "--", "env", "XDG_RUNTIME_DIR=/run/user/1000", "systemd-run", "--user", "--quiet",
			"--service-type=exec", "--unit=" + unit, "--"}
		m.Run(t, append(args, program...)...)
	}
	rig.Eventually(t, 30*time.Second, func() error {
		return m.Command("test", "-S", "/run/user/1000/systemd/private").Run()
	})
	run("shop", "/opt/shop/shop", "listen", "127.0.0.1:3000")
	run("worker", "/opt/shop/worker", "hog", "1500")
	return strings.TrimSpace(m.Run(t, "pgrep", "--exact", "worker"))
}

// testServicesOf: the panel says what systemctl says, the failed first.
func testServicesOf(t *testing.T, p *rig.Page) {
	t.Helper()
	for name, want := range map[string]string{
		"nginx": "good [ ACTIVE ]", "ssh": "good [ ACTIVE ]", "backup": "bad [ FAILED ]", "cron": "bad [ INACTIVE ]", "docker": "bad [ NOT FOUND ]",
	} {
		row := `(() => { const r = [...document.querySelectorAll('#services > li')].find((s) => s.querySelector('.service-name').textContent === '` + name + `');
			return r ? r.className.replace('service ', '') + ' ' + r.querySelector('.service-state').textContent : ''; })()`
		p.Await(t, 15*time.Second, row+` === '`+want+`'`, row)
	}
	p.Click(t, "#services-all")
	p.Await(t, 5*time.Second, `document.querySelectorAll('#services > li').length > 15`, `document.getElementById('services').innerText`)
	p.Click(t, "#services-all")
}

// testJournal: the journal can be chosen, and shows the unit of each line.
func testJournal(t *testing.T, m *rig.Machine, p *rig.Page) {
	t.Helper()
	choose := func(name string) {
		p.Evaluate(t, `(() => { const s = document.getElementById('log-source'); s.value = '`+name+`'; s.dispatchEvent(new Event('change')); })()`, nil)
	}
	choose("journal")
	time.Sleep(time.Second)
	m.Run(t, "systemd-run", "--quiet", "--wait", "--unit=greeting", "echo", "hello from the journal")
	p.Await(t, 20*time.Second, `[...document.querySelectorAll('#log .line')].some((l) => /greeting.service: echo.*hello from the journal/.test(l.innerText) && l.querySelector('time'))`,
		`document.getElementById('log-note').innerText + document.getElementById('log').innerText`)
	choose("/var/log/syslog")
	p.Await(t, 15*time.Second, `document.querySelectorAll('#log .line').length > 10`, `document.getElementById('log').innerText`)
}

// testSystemsProcess: a service's process is known, explained and locked.
func testSystemsProcess(t *testing.T, p *rig.Page) {
	t.Helper()
	find(t, p, "nginx")
	p.Await(t, 15*time.Second, `document.querySelector('#processes > li.safe:first-child .name')?.innerText.startsWith('nginx')`, `document.getElementById('processes').innerText`)
	text := p.Text(t, "#processes > li")
	for _, want := range []string{"SAFE", "PORT : 80", "EXPECTED", "Cannot be ended", "runs as root"} {
		if !strings.Contains(text, want) {
			t.Errorf("nginx lacks %q:\n%s", want, text)
		}
	}
	find(t, p, "updater")
	p.Await(t, 15*time.Second, `document.querySelectorAll('#processes > li.danger').length === 1`, `document.getElementById('processes').innerText`)
	findAll(t, p)
	p.Await(t, 15*time.Second, `document.querySelectorAll('#processes > li').length > 5`, `document.getElementById('processes').innerText`)
}

// takePictures takes the other pictures of the README.
func takePictures(t *testing.T, p *rig.Page) {
	t.Helper()
	p.Click(t, `[data-language="ko"]`)
	p.Await(t, 15*time.Second, `/[가-힣]/.test(document.querySelector('#processes .role')?.textContent)`, `document.getElementById('processes').innerText`)
	picture(t, p, "console-korean.png")
	p.Click(t, `[data-language="en"]`)
	p.Await(t, 15*time.Second, `/^[ -~]+$/.test(document.querySelector('#processes .role')?.textContent)`, `document.getElementById('processes').innerText`)
	p.Resize(t, 360, 780)
	picture(t, p, "console-phone.png")
	p.Evaluate(t, `document.querySelector('.panel-processes').scrollIntoView()`, nil)
	picture(t, p, "console-phone-processes.png")
	p.Resize(t, desktopWidth, 1360)
	p.Evaluate(t, `scrollTo(0, 0)`, nil)
}

// testUsersProcess: what a user of systemd runs may be tidied up.
func testUsersProcess(t *testing.T, m *rig.Machine, p *rig.Page, pid string) {
	t.Helper()
	p.Click(t, "#tab-tidy")
	p.Evaluate(t, `scrollTo(0, 0)`, nil)
	row := `[...document.querySelectorAll('#tidy-groups section')].find((s) => s.innerText.includes('(PID ` + pid + `)'))`
	p.Await(t, 15*time.Second, row+`?.querySelector('h4').textContent.startsWith('MEMORY HOGS')`, `document.getElementById('view-tidy').innerText.slice(0, 900)`)
	picture(t, p, "console-tidy.png")
	p.Click(t, "#tidy-groups .terminate")
	p.Await(t, 10*time.Second, stage+` === 'allowed'`, dialogText)
	picture(t, p, "console-dialog.png")
	p.Click(t, "#terminate-confirm")
	p.Await(t, 15*time.Second, stage+` === 'ended'`, dialogText)
	picture(t, p, "console-ended.png")
	if out, err := m.Command("pgrep", "--exact", "worker").Output(); err == nil {
		t.Errorf("the process lives on: %s", out)
	}
}

// picture keeps what a page shows, and where files are to be written anew, for
// the README as well.
func picture(t *testing.T, p *rig.Page, name string) {
	t.Helper()
	p.Screenshot(t, artifact(t, "server-"+name))
	if *update {
		p.Screenshot(t, filepath.Join(programs.Source, "docs", "screenshots", name))
	}
}
