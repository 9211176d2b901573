package killapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/internal/process"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// hook is a webhook of one alert, whose labels are name, value, name, ….
func hook(status, fingerprint string, labels ...string) string {
	set := map[string]string{"alertname": "MemoryHog"}
	for i := 0; i < len(labels); i += 2 {
		set[labels[i]] = labels[i+1]
	}
	text, err := json.Marshal(map[string]any{
		"version": "4", "status": status, "groupKey": "{}", "receiver": "kill", "truncatedAlerts": 0,
		"alerts": []any{map[string]any{
			"status": status, "labels": set, "annotations": map[string]string{"summary": "x"}, "fingerprint": fingerprint,
			"startsAt": "2026-11-24T12:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://p/graph",
		}},
	})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// alerted delivers a webhook and returns what became of its alert.
func (a *testAPI) alerted(body string, status int) verdict {
	a.t.Helper()
	text := a.want(a.request("POST", "/api/v1/alerts", token.Automation, body), status, "")
	var answer struct{ Results []verdict }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Results) != 1 {
		a.t.Fatalf("answer %s, %v", text, err)
	}
	return answer.Results[0]
}

var aboutTool = []string{"pid", "100", "identity", "100-1000-0123abcd", "name", "tool", "verdict", "caution"}

func TestAlertIsADryRunByDefault(t *testing.T) {
	a := newTestAPI(t, nil)
	a.terminator.result = terminate.Result{Outcome: terminate.WouldTerminate}
	got := a.alerted(hook("firing", "f1", aboutTool...), http.StatusOK)
	if got.Result != "would_terminate" || !got.DryRun || got.Termination != "T1" {
		t.Errorf("result %+v", got)
	}
	asked := a.terminator.requests()[0]
	if !asked.DryRun || !asked.Actor.Automation || asked.Identity != "100-1000-0123abcd" || asked.Reason != "alert MemoryHog" {
		t.Errorf("request %+v", asked)
	}
	if again := a.alerted(hook("firing", "f1", aboutTool...), http.StatusOK); again.Result != alertIgnored || again.Code != string(codeRepeated) {
		t.Errorf("repeated: %+v", again)
	}
	if n := len(a.terminator.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func enforcing(t *testing.T) *testAPI {
	t.Helper()
	a := newTestAPI(t, func(c *Config) { c.Automation.Enforce = true })
	a.terminator.result = terminate.Result{Outcome: terminate.Terminated, Method: terminate.Soft, Sent: []string{"SIGTERM"}}
	return a
}

func TestAlertsThatAreNotActedOn(t *testing.T) {
	a := enforcing(t)
	for name, c := range map[string]struct {
		body   string
		result string
		code   terminate.Code
	}{
		"resolved":          {hook("resolved", "1", aboutTool...), alertIgnored, codeResolved},
		"name alone":        {hook("firing", "2", "name", "tool"), alertRefused, terminate.CodeIdentityMissing},
		"pid alone":         {hook("firing", "3", "pid", "100"), alertRefused, terminate.CodeIdentityMissing},
		"identity alone":    {hook("firing", "4", "identity", "100-1000-0123abcd"), alertRefused, terminate.CodeIdentityMissing},
		"they differ":       {hook("firing", "5", "pid", "200", "identity", "100-1000-0123abcd"), alertRefused, terminate.CodeIdentityMismatch},
		"no identity":       {hook("firing", "6", "pid", "100", "identity", "x"), alertRefused, terminate.CodeIdentityMalformed},
		"another server":    {hook("firing", "7", "pid", "100", "identity", "100-1000-ffffffff"), alertRefused, codeOtherBoot},
		"nothing is wrong":  {hook("firing", "12", "pid", "100", "identity", "100-1000-0123abcd", "name", "tool"), alertRefused, codeConditionGone},
		"verdict is gone":   {hook("firing", "8", append(slices.Clip(aboutTool), "verdict", "danger")...), alertRefused, codeConditionGone},
		"warning is gone":   {hook("firing", "9", append([]string{"warning", "HIGH_MEMORY_USAGE"}, aboutTool...)...), alertRefused, codeConditionGone},
		"no label at all":   {strings.Replace(hook("firing", "10"), `"alertname":"MemoryHog"`, "", 1), alertRefused, terminate.CodeIdentityMissing},
		"hostile alertname": {hook("firing", "11", "alertname", "a\nb\x1b[2J"), alertRefused, terminate.CodeIdentityMissing},
	} {
		t.Run(name, func(t *testing.T) {
			a.t = t
			got := a.alerted(c.body, http.StatusOK)
			if got.Result != c.result || got.Code != string(c.code) {
				t.Errorf("result %+v, want %s, %s", got, c.result, c.code)
			}
			if strings.ContainsAny(got.Alert, "\n\x1b") {
				t.Errorf("the name of the alert is shown as %q", got.Alert)
			}
		})
	}
	if n := len(a.terminator.requests()); n != 0 {
		t.Errorf("%d terminations", n)
	}
	a.Close()
	if n, more := a.audited(); n != endingsPerMinute || more != 1 {
		t.Errorf("%d decisions are audited and %d more counted, want all but that on the resolved alert", n, more)
	}
}

func TestAlertWhoseConditionHolds(t *testing.T) {
	a := enforcing(t)
	got := a.alerted(hook("firing", "1", "pid", "300", "identity", "300-3000-0123abcd", "verdict", "danger", "warning", "SUSPICIOUS_PATH"), http.StatusOK)
	if got.Result != "terminated" || got.DryRun {
		t.Errorf("result %+v", got)
	}
}

func TestAutomationIsLimited(t *testing.T) {
	a := newTestAPI(t, func(c *Config) {
		c.Automation.Enforce = true
		c.Inventories = fixedInventory{[]process.Process{
			user(101, "evil", "/tmp/evil"), user(102, "evil", "/tmp/evil"), user(103, "evil2", "/tmp/evil2"), user(104, "evil3", "/tmp/evil3"),
			user(105, "evil4", "/tmp/evil4"),
		}}
	})
	a.terminator.result = terminate.Result{Outcome: terminate.Terminated, Method: terminate.Soft, Sent: []string{"SIGTERM"}}
	// The label name is whatever the alert says: it must not set a process free.
	about := func(pid int) string {
		return hook("firing", fmt.Sprint(pid), "pid", fmt.Sprint(pid), "identity", identity(pid).String(), "name", fmt.Sprint("made up ", pid))
	}
	limited := func(what string, pid int) {
		t.Helper()
		if got := a.alerted(about(pid), http.StatusServiceUnavailable); got.Result != alertRetry || got.Code != string(codeLimited) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	ended := func(pid int) {
		t.Helper()
		if got := a.alerted(about(pid), http.StatusOK); got.Result != "terminated" {
			t.Fatalf("%d: %+v", pid, got)
		}
	}
	ended(101)
	limited("pause", 103)
	a.automation.lastEnd = time.Now().Add(-automaticPause)
	limited("same name", 102)
	for _, pid := range []int{103, 104} {
		a.automation.lastEnd = time.Now().Add(-automaticPause)
		ended(pid)
	}
	a.automation.lastEnd = time.Now().Add(-automaticPause)
	limited("three in ten minutes", 105)
	if n := len(a.terminator.requests()); n != automaticLimit {
		t.Errorf("%d terminations, want %d", n, automaticLimit)
	}
}

// TestRepeatedRefusalsAreAuditedOnce delivers an alert about another server, as
// Alertmanager does to every server of a fleet, again and again.
func TestRepeatedRefusalsAreAuditedOnce(t *testing.T) {
	a := enforcing(t)
	body := hook("firing", "1", "pid", "100", "identity", "100-1000-ffffffff", "verdict", "caution")
	if got := a.alerted(body, http.StatusOK); got.Result != alertRefused || got.Code != string(codeOtherBoot) {
		t.Errorf("result %+v", got)
	}
	for range 5 {
		if got := a.alerted(body, http.StatusOK); got.Result != alertIgnored || got.Code != string(codeRepeated) {
			t.Errorf("repeated: %+v", got)
		}
	}
	if n := len(a.events.Recent(100)); n != 1 {
		t.Errorf("%d decisions are audited, want 1", n)
	}
}

func TestPassingFaultsAreSentAgain(t *testing.T) {
	a := enforcing(t)
	a.terminator.result = terminate.Result{Outcome: terminate.Refused, Reasons: []terminate.Reason{{Code: terminate.CodePolicyUnavailable, Kind: terminate.Unavailable}}}
	if got := a.alerted(hook("firing", "1", aboutTool...), http.StatusServiceUnavailable); got.Result != alertRetry {
		t.Errorf("result %+v", got)
	}
	a.terminator.result = terminate.Result{Outcome: terminate.Terminated, Sent: []string{"SIGTERM"}}
	if got := a.alerted(hook("firing", "1", aboutTool...), http.StatusOK); got.Result != "terminated" {
		t.Errorf("sent again: %+v", got)
	}
	lasting := enforcing(t)
	lasting.terminator.result = terminate.Result{Outcome: terminate.Refused, Reasons: []terminate.Reason{{Code: terminate.GuardUID0}}}
	if got := lasting.alerted(hook("firing", "1", aboutTool...), http.StatusOK); got.Result != "refused" || got.Code != "uid-0" {
		t.Errorf("result %+v", got)
	}
}

func TestBadWebhooks(t *testing.T) {
	a := enforcing(t)
	good := hook("firing", "1", append(slices.Clip(aboutTool), "Pid", "a label of its own")...)
	for _, body := range []string{
		"", "[]", "{}", `{"version":"3","alerts":[]}`, `{"version":4}`,
		strings.Replace(good, `"labels":{`, `"labels":{"pid":"300",`, 1), strings.Replace(good, `"alerts"`, `"Alerts"`, 1),
		strings.Replace(good, `"status":"firing"`, `"status":"firing","Status":"resolved"`, 1), strings.Replace(good, `"labels":{`, `"labels":null,"x":{`, 1), strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
	} {
		r := a.request("POST", "/api/v1/alerts", token.Automation, body)
		r.Header.Set("Content-Type", "application/json")
		a.want(r, http.StatusBadRequest, "bad-request")
	}
	if n := len(a.terminator.requests()); n != 0 {
		t.Errorf("%d terminations", n)
	}
	a.alerted(good, http.StatusOK)
}

func FuzzWebhook(f *testing.F) {
	f.Add([]byte(hook("firing", "1", aboutTool...)))
	f.Fuzz(func(t *testing.T, text []byte) {
		var h webhook
		if err := decode(text, &h, true); err == nil && !json.Valid(text) {
			t.Errorf("%q is taken", text)
		} else if err != nil && errors.Is(err, http.ErrAbortHandler) {
			t.Error("impossible")
		}
	})
}
