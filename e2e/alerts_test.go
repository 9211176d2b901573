//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// alertsFolder is alerts/.
func alertsFolder(parts ...string) string {
	return filepath.Join(append([]string{programs.Source, "alerts"}, parts...)...)
}

// TestAlertRules lets promtool check the rules and run their unit tests.
func TestAlertRules(t *testing.T) {
	rig.NeedPrograms(t, "prometheus", "promtool")
	for _, kind := range [][]string{{"check", "rules", "rules/*.yml"}, {"test", "rules", "tests/*.test.yml"}} {
		files, err := filepath.Glob(alertsFolder(kind[2]))
		if err != nil || len(files) < 8 {
			t.Fatalf("%s: %v, %v", kind[2], files, err)
		}
		stdout, stderr, status := rig.Run(t, exec.Command("promtool", append(kind[:2:2], files...)...), 2*time.Minute)
		if status != 0 || strings.Count(stdout, "SUCCESS") != len(files) {
			t.Errorf("promtool %s %s: status %d\n%s%s", kind[0], kind[1], status, stdout, stderr)
		}
	}
}

// TestAlertRoutes lets amtool check the example of Alertmanager and say to
// whom alerts go.
func TestAlertRoutes(t *testing.T) {
	rig.NeedPrograms(t, "alertmanager", "amtool")
	config := alertsFolder("alertmanager", "alertmanager.yml")
	if stdout, stderr, status := rig.Run(t, exec.Command("amtool", "check-config", config), time.Minute); status != 0 {
		t.Fatalf("amtool check-config: status %d\n%s%s", status, stdout, stderr)
	}
	for _, route := range []struct{ labels, receivers string }{
		{"alertname=ServerMonitorDown severity=critical instance=a", "operators"},
		{"alertname=ServerMonitorMemoryLow severity=warning instance=a", "operators"},
		{"alertname=ServerMonitorRebooted severity=info instance=a", "operators"},
		{"alertname=ServerMonitorAutoTerminate severity=info automation=terminate instance=localhost:10042", "kill-api-localhost"},
		{"alertname=ServerMonitorAutoTerminate severity=info automation=terminate instance=another:10042", "none"},
		{"alertname=SomebodyElses", "operators"},
	} {
		args := append([]string{"config", "routes", "test", "--config.file=" + config, "--verify.receivers=" + route.receivers},
			strings.Fields(route.labels)...)
		if stdout, stderr, status := rig.Run(t, exec.Command("amtool", args...), time.Minute); status != 0 {
			t.Errorf("%s: want %s: %s%s", route.labels, route.receivers, stdout, stderr)
		}
	}
}

// alerting is a Prometheus with the rules as they are, and an Alertmanager with
// the example but for its addresses.
type alerting struct {
	prometheus   *rig.Prometheus
	alertmanager *rig.Alertmanager
	mailbox      *rig.Mailbox
}

// startAlerting starts both. The kill API and its token need not be there.
func startAlerting(t *testing.T, metrics, operator, token string) *alerting {
	t.Helper()
	a := &alerting{mailbox: rig.StartMailbox(t)}
	text, err := os.ReadFile(alertsFolder("alertmanager", "alertmanager.yml"))
	if err != nil {
		t.Fatal(err)
	}
	example := string(text)
	for _, change := range [][2]string{
		{"smtp_smarthost: localhost:25", "smtp_require_tls: false\n  smtp_smarthost: " + a.mailbox.Address},
		{"localhost:10042", metrics},
		{"http://localhost:10043/", "http://" + operator + "/"},
		{"/etc/alertmanager/server-monitor.token", token},
	} {
		if strings.Count(example, change[0]) != 1 {
			t.Fatalf("the example of Alertmanager holds %q %d times", change[0], strings.Count(example, change[0]))
		}
		example = strings.Replace(example, change[0], change[1], 1)
	}
	a.alertmanager = rig.StartAlertmanager(t, example, alertsFolder("alertmanager", "templates"))
	a.prometheus = rig.StartPrometheus(t, fmt.Sprintf(`
global: {scrape_interval: 5s, scrape_timeout: 5s, evaluation_interval: 5s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs: [{job_name: server-monitor, static_configs: [{targets: [%q]}]}]
`, alertsFolder("rules", "*.yml"), a.alertmanager.Address, metrics), "--web.user-assets="+alertsFolder("runbooks", "html"))
	awaitVector(t, a.prometheus, "up == 1", 1)
	return a
}

// firing lists the alerts that fire on a process; those that wait are not told.
func (a *alerting) firing(pid int) ([]string, error) {
	samples, err := a.prometheus.Query(fmt.Sprintf(`ALERTS{alertstate="firing",pid="%d"}`, pid))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, sample := range samples {
		names = append(names, strings.TrimPrefix(sample.Labels["alertname"], "ServerMonitor"))
	}
	return sorted(names), nil
}

// shown lists the alerts on a process that no other one hides.
func (a *alerting) shown(pid int) ([]string, error) {
	alerts, err := a.alertmanager.Alerts(`pid="` + strconv.Itoa(pid) + `"`)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range alerts {
		if len(alerts[i].Status.InhibitedBy) == 0 {
			names = append(names, strings.TrimPrefix(alerts[i].Labels["alertname"], "ServerMonitor"))
		}
	}
	return sorted(names), nil
}

// sampleAlerts are the alerts that must fire on the samples; the first of each
// is that which reaches people.
var sampleAlerts = map[string][]string{
	"public listener":                  {"NewPublicDangerPort", "NewDangerProcess"},
	"listener on a port of the system": {"NewDangerProcess"},
	"local listener":                   nil,
	"copy of sleep in /tmp":            {"WorldWritableExecutable", "NewDangerProcess"},
	"writable":                         {"WorldWritableExecutable", "NewDangerProcess"},
	"deleted":                          {"NewDangerProcess"},
	"program in memory":                {"FilelessProcess", "NewDangerProcess"},
	"false kernel thread":              {"Masquerade", "NewDangerProcess"},
	"memory hog":                       nil,
	"unknown tool":                     nil,
	"known tool":                       nil,
}

// TestAlertsOnSamples counts the alerts on a process of each kind: the expected
// ones, of which people get one for each process, in English and Korean.
func TestAlertsOnSamples(t *testing.T) {
	samples := startSamples(t)
	m := programs.StartMonitor(t, ratioFlag)
	a := startAlerting(t, m.Address, "127.0.0.1:1", "/nonexistent")
	for name, sample := range samples {
		want, known := sampleAlerts[name]
		if !known {
			t.Errorf("nothing is said of the sample %q", name)
		}
		rig.Eventually(t, 3*time.Minute, func() error { return sameAlerts(name, sorted(slices.Clone(want)), sample.pid, a.firing) })
		rig.Eventually(t, time.Minute, func() error {
			return sameAlerts(name+", shown", want[:min(1, len(want))], sample.pid, a.shown)
		})
	}
	time.Sleep(20 * time.Second) // nothing may follow
	for name, sample := range samples {
		if err := sameAlerts(name+", later", sorted(slices.Clone(sampleAlerts[name])), sample.pid, a.firing); err != nil {
			t.Error(err)
		}
	}
	t.Run("mail", func(t *testing.T) { checkMails(t, a, samples["program in memory"].pid) })
	t.Run("runbook", func(t *testing.T) { checkRunbookLink(t, a) })
}

func sameAlerts(what string, want []string, pid int, list func(pid int) ([]string, error)) error {
	got, err := list(pid)
	if err == nil && !slices.Equal(got, want) {
		err = fmt.Errorf("%s (pid %d): %v, want %v", what, pid, got, want)
	}
	return err
}

// checkMails waits for the mails on a process without a file.
func checkMails(t *testing.T, a *alerting, pid int) {
	const first, second = "operators@example.com", "operators-ko@example.com"
	for to, words := range map[string][]string{
		first:  {"[CRITICAL]", "from memory, without a file", "runbook:", "since:", "Dashboard", "Silence"},
		second: {"[심각]", "파일 없이 메모리에서 실행 중", "대응 절차:", "발생 시각:", "대시보드", "일시 중지"},
	} {
		var found rig.Mail
		rig.Eventually(t, time.Minute, func() error {
			for _, mail := range a.mailbox.Mails(to) {
				if strings.Contains(mail.Text, words[1]) && strings.Contains(mail.Text, itoa(pid)) {
					found = mail
					return nil
				}
			}
			return fmt.Errorf("no mail to %s on pid %d", to, pid)
		})
		t.Logf("to %s: %s\n%s", to, found.Subject, found.Text)
		for _, word := range words {
			if !strings.Contains(found.Subject+found.Text+found.HTML, word) {
				t.Errorf("the mail to %s lacks %q", to, word)
			}
		}
		if strings.Contains(found.Text, "<no value>") || !strings.Contains(found.HTML, "ServerMonitorFilelessProcess.html") ||
			!strings.Contains(found.HTML, "/memfd:sample") {
			t.Errorf("the mail to %s is not filled in:\n%s", to, found.HTML)
		}
	}
}

// checkRunbookLink follows the link of an alert: Prometheus itself serves it.
func checkRunbookLink(t *testing.T, a *alerting) {
	alerts, err := a.alertmanager.Alerts(`alertname="ServerMonitorFilelessProcess"`)
	if err != nil || len(alerts) == 0 {
		t.Fatalf("%v, %v", alerts, err)
	}
	path := regexp.MustCompile(`^https?://[^/]+(/user/ServerMonitorFilelessProcess\.html)$`).FindStringSubmatch(alerts[0].Annotations["runbook_url"])
	if path == nil {
		t.Fatalf("runbook_url %q", alerts[0].Annotations["runbook_url"])
	}
	status, body := rig.Get(t, monitorless, a.prometheus.URL()+path[1])
	if status != 200 || !strings.Contains(body, "What to do") {
		t.Errorf("%s: status %d\n%s", path[1], status, body)
	}
}
