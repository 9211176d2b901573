//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// chain is server-monitor with policy in a database and an operator listener
// that automation may call.
type chain struct {
	*rig.Program
	metrics, operator string
	tokens, webhook   string // files
	admin             string // a token
	database          string
}

// prepareChain makes all but server-monitor itself.
func prepareChain(t *testing.T) *chain {
	t.Helper()
	dir := t.TempDir()
	c := &chain{
		metrics: freeAddress(t), operator: freeAddress(t), database: programs.StartFerretDB(t),
		tokens: filepath.Join(dir, "tokens.json"), webhook: filepath.Join(dir, "webhook.token"),
	}
	c.admin = c.command(t, "token", "create", "--operator.token-file="+c.tokens, "--name=admin", "--role=admin")
	token := c.command(t, "token", "create", "--operator.token-file="+c.tokens, "--name=alertmanager", "--role=automation")
	if err := os.WriteFile(c.webhook, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	c.command(t, "policy", "set", "linux/e2e-runaway", "--policy.mongodb-uri="+c.database, "--category=utility",
		"--description=Sample that automation may end", "--terminatable=yes", "--auto-terminate=yes")
	return c
}

func (c *chain) command(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, status := rig.Run(t, exec.Command(programs.Monitor, args...), time.Minute)
	if status != 0 {
		t.Fatalf("server-monitor %s: status %d\n%s%s", strings.Join(args, " "), status, out, errs)
	}
	return strings.TrimSpace(out)
}

// start starts server-monitor with a value of --terminate.auto.
func (c *chain) start(t *testing.T, auto string) {
	t.Helper()
	c.Program = rig.Start(t, exec.Command(programs.Monitor, "--web.listen-address="+c.metrics, "--operator.listen-address="+c.operator,
		"--operator.token-file="+c.tokens, "--policy.mongodb-uri="+c.database, "--terminate.auto="+auto, "--no-operator.journal"))
	c.AwaitOutput(t, 20*time.Second, `msg="Listening on" address=`+c.metrics)
}

// event is what the audit tells of a termination.
type event struct {
	Stage, Decision, Outcome, Identity, Reason string
	PID                                        int
	DryRun                                     bool `json:"dry_run"`
	Codes                                      []string
	Actor                                      struct{ Role string }
}

// audit lists the events, from the API.
func (c *chain) audit(t *testing.T) []event {
	t.Helper()
	status, body := rig.Get(t, monitorless, "http://"+c.operator+"/api/v1/audit", "Authorization: Bearer "+c.admin)
	var answer struct{ Events []event }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
		t.Fatalf("audit: status %d, %v\n%s", status, err, body)
	}
	return answer.Events
}

// TestAlertsEndProcess runs the whole chain: Prometheus sees a process that
// policy marks, Alertmanager tells the kill API, which ends it where that is
// enforced, and the alert is over. Nobody else is touched.
func TestAlertsEndProcess(t *testing.T) {
	rig.NeedRoot(t)
	c := prepareChain(t)
	marked := rig.Install(t, programs.Sample, "/srv", "e2e-runaway")
	target := startInSession(t, marked+" sleep")
	others := startBystanders(t, marked)
	c.start(t, "dry-run")
	a := startAlerting(t, c.metrics, c.operator, c.webhook)

	requests := func(result string) string {
		return fmt.Sprintf(`sum(server_monitor_termination_requests_total{actor="automation",result=%q})`, result)
	}
	t.Log("dry run")
	awaitValue(t, a.prometheus, 3*time.Minute, requests("would_terminate"), 1)
	if !lives(target) {
		t.Fatal("a dry run has ended the process")
	}
	c.checkAudit(t, target, "would_terminate", true)
	if err := c.Stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitVector(t, a.prometheus, "up == 0", 1)

	t.Log("enforced")
	c.start(t, "enforce")
	awaitValue(t, a.prometheus, 4*time.Minute, requests("terminated")+" > 0", 1)
	if lives(target) {
		t.Error("the process lives")
	}
	c.checkAudit(t, target, "terminated", false)
	for name, pid := range others {
		if !lives(pid) {
			t.Errorf("%s was ended too", name)
		}
	}
	awaitResolved(t, a, target)
	awaitVector(t, a.prometheus, `ALERTS{alertname="ServerMonitorAutomaticTermination",alertstate="firing"}`, 1)
	awaitValue(t, a.prometheus, time.Minute, requests("refused"), 0)
	time.Sleep(20 * time.Second) // beyond the pause of automation
	for name, pid := range others {
		if !lives(pid) {
			t.Errorf("%s was ended later", name)
		}
	}
}

// startBystanders starts processes that resemble the marked one and must not be
// touched.
func startBystanders(t *testing.T, marked string) map[string]int {
	t.Helper()
	forged := rig.Install(t, programs.Sample, "/srv", "e2e-runaway")
	if err := os.Chown(forged, loginUID, loginUID); err != nil {
		t.Fatal(err)
	}
	other := rig.Install(t, programs.Sample, "/srv", "e2e-other")
	return map[string]int{
		"a program of the user with the same name": startInSession(t, forged+" sleep"),
		"a program that policy does not mark":      startInSession(t, other+" sleep"),
		"the marked program, run by root":          rig.StartSample(t, exec.Command(marked, "sleep")),
		"a service account's":                      rig.StartSample(t, ordinary(marked, "sleep")),
	}
}

// awaitValue waits until a query brings one value.
func awaitValue(t *testing.T, p *rig.Prometheus, within time.Duration, query string, want float64) {
	t.Helper()
	rig.Eventually(t, within, func() error {
		samples, err := p.Query(query)
		if err == nil && (len(samples) != 1 || samples[0].Value != want) {
			err = fmt.Errorf("%s brings %v, want %v", query, samples, want)
		}
		return err
	})
}

// awaitResolved waits until neither Prometheus nor Alertmanager tells the alert
// on a process.
func awaitResolved(t *testing.T, a *alerting, pid int) {
	t.Helper()
	rig.Eventually(t, time.Minute, func() error {
		firing, err := a.firing(pid)
		if err != nil {
			return err
		}
		shown, err := a.shown(pid)
		if err == nil && len(firing)+len(shown) > 0 {
			err = fmt.Errorf("Prometheus has %v, Alertmanager %v", firing, shown)
		}
		return err
	})
}

// checkAudit checks that the audit tells what became of a process, and tells
// nothing of any other.
func (c *chain) checkAudit(t *testing.T, pid int, outcome string, dryRun bool) {
	t.Helper()
	events := c.audit(t)
	if !slices.ContainsFunc(events, func(e event) bool {
		return e.PID == pid && e.Outcome == outcome && e.DryRun == dryRun && strings.Contains(e.Reason, "ServerMonitorAutoTerminate")
	}) {
		t.Errorf("the audit does not tell that pid %d was %s: %+v", pid, outcome, events)
	}
	for _, e := range events {
		if e.PID != 0 && e.PID != pid {
			t.Errorf("the audit tells of another process: %+v", e)
		}
	}
}
