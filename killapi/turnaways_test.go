package killapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"server-monitor/internal/process"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// audited counts the lines of the audit, and the decisions that others stand for.
func (a *testAPI) audited() (lines, more int) {
	for _, e := range a.events.Recent(10_000) {
		if e.More == 0 {
			lines++
		}
		more += e.More
	}
	return lines, more
}

// hooks is a webhook with many alerts, each about another firing.
func hooks(n int, from int, labels ...string) string {
	var alerts []json.RawMessage
	for i := range n {
		var one struct{ Alerts []json.RawMessage }
		if err := json.Unmarshal([]byte(hook("firing", fmt.Sprint("f", from+i), labels...)), &one); err != nil {
			panic(err)
		}
		alerts = append(alerts, one.Alerts...)
	}
	text, err := json.Marshal(map[string]any{"version": "4", "alerts": alerts})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestAuditIsNotWashedAway floods the audit with alerts that are turned away: what
// an operator did before must stay readable, and the flood be told of.
func TestAuditIsNotWashedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := enforcing(t)
		defer a.Close()
		for i := range 50 {
			a.want(a.request("POST", "/api/v1/alerts", token.Automation, hooks(maxAlerts, 1000*i, "name", "tool")), http.StatusOK, "")
		}
		if lines, more := a.audited(); lines != endingsPerMinute || more != 0 {
			t.Errorf("%d lines, %d more", lines, more)
		}
		time.Sleep(time.Minute + time.Second)
		if lines, more := a.audited(); lines != endingsPerMinute || more != 50*maxAlerts-endingsPerMinute {
			t.Errorf("after a minute %d lines, %d more", lines, more)
		}
		last := a.events.Recent(1)[0]
		if last.Decision != terminate.Rejected || !slices.Equal(last.Codes, []terminate.Code{terminate.CodeIdentityMissing}) ||
			!strings.HasPrefix(last.Actor.Name, "the automation (") || !last.Actor.Automation || last.ID == "" {
			t.Errorf("line %+v", last)
		}
		a.want(a.request("POST", "/api/v1/alerts", token.Automation, hooks(1, 99_999, "name", "tool")), http.StatusOK, "")
		if lines, _ := a.audited(); lines != endingsPerMinute+1 {
			t.Errorf("in the next minute %d lines", lines)
		}
	})
}

func TestTooManyAlertsInOneBody(t *testing.T) {
	a := enforcing(t)
	r := a.request("POST", "/api/v1/alerts", token.Automation, `{"version":"4","alerts":[`+strings.TrimSuffix(strings.Repeat("{},", 1150), ",")+`]}`)
	if text := a.want(r, http.StatusRequestEntityTooLarge, "too-large"); !strings.Contains(text, "max_alerts") {
		t.Errorf("answer %s", text)
	}
	if lines, more := a.audited(); lines != 0 || more != 0 {
		t.Errorf("%d lines, %d more", lines, more)
	}
	if got := a.turned(); got["too-large automation"] != 1 || len(got) != 1 {
		t.Errorf("counted %v", got)
	}
}

// TestLimitedAlertIsAuditedOnce: Alertmanager sends an alert that is beyond a limit
// again and again.
func TestLimitedAlertIsAuditedOnce(t *testing.T) {
	a := enforcing(t)
	if got := a.alerted(hook("firing", "1", aboutTool...), http.StatusOK); got.Result != "terminated" {
		t.Fatalf("%+v", got)
	}
	for range 5 {
		if got := a.alerted(hook("firing", "2", aboutTool...), http.StatusServiceUnavailable); got.Code != string(codeLimited) {
			t.Fatalf("%+v", got)
		}
	}
	if lines, more := a.audited(); lines != 1 || more != 0 {
		t.Errorf("%d lines, %d more", lines, more)
	}
	if got := a.turned(); got["too-many-terminations automation"] != 1 {
		t.Errorf("counted %v", got)
	}
}

// TestAlertsAreLimitedByToken: dry runs and refusals are lines of the audit too.
func TestAlertsAreLimitedByToken(t *testing.T) {
	var processes []process.Process
	for pid := range 2 * endingsPerMinute {
		processes = append(processes, user(100+pid, "evil", "/tmp/evil"))
	}
	for _, enforce := range []bool{false, true} {
		a := newTestAPI(t, func(c *Config) {
			c.Automation.Enforce = enforce
			c.Inventories = fixedInventory{processes}
		})
		a.terminator.result = terminate.Result{Outcome: terminate.Refused, Reasons: []terminate.Reason{{Code: terminate.GuardUID0}}}
		for i := range processes {
			pid := processes[i].PID
			status := http.StatusOK
			if i >= endingsPerMinute {
				status = http.StatusServiceUnavailable
			}
			a.alerted(hook("firing", fmt.Sprint(pid), "pid", fmt.Sprint(pid), "identity", identity(pid).String()), status)
		}
		if n := len(a.terminator.requests()); n != endingsPerMinute {
			t.Errorf("%d requests, want %d", n, endingsPerMinute)
		}
	}
}

// TestTurnedAwayIsCounted: what never reaches a termination is in no other counter.
func TestTurnedAwayIsCounted(t *testing.T) {
	a := enforcing(t)
	a.alerted(hook("firing", "1", "name", "tool"), http.StatusOK)
	a.alerted(hook("firing", "2", "pid", "100", "identity", "x"), http.StatusOK)
	a.alerted(hook("firing", "3", "pid", "200", "identity", "100-1000-0123abcd"), http.StatusOK)
	a.alerted(hook("firing", "4", "pid", "100", "identity", "100-1000-ffffffff"), http.StatusOK)
	a.alerted(hook("firing", "5", append(slices.Clip(aboutTool), "verdict", "danger")...), http.StatusOK)
	for range endingsPerMinute + 2 {
		a.do(a.request("POST", "/api/v1/processes/100/terminate", token.Operator, goodBody))
	}
	want := map[string]int{
		"identity-missing automation": 1, "identity-malformed automation": 1, "identity-mismatch automation": 1, "other-server automation": 1,
		"condition-gone automation": 1, "too-many-terminations operator": 2,
	}
	got := a.turned()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	for key := range got {
		if code, _, _ := strings.Cut(key, " "); !slices.Contains(TurnAwayCodes, code) {
			t.Errorf("%s is none of the codes that are announced", code)
		}
	}
}

func (a *testAPI) turned() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.turnedAwayBy)
}

// TestFailedLoginsAreAudited: one line a minute and address, with the number of
// the rest, and not more than a few addresses.
func TestFailedLoginsAreAudited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTestAPI(t, nil)
		defer a.Close()
		guess := func(from, secret string) {
			r := a.request("GET", "/api/v1/processes", "", "")
			r.RemoteAddr = from
			r.Header.Set("Authorization", "Bearer "+secret)
			a.do(r)
		}
		for range failuresPerMinute + 3 {
			guess("192.0.2.7:4000", "smk_nonsense")
		}
		if lines, more := a.audited(); lines != 1 || more != 0 {
			t.Errorf("%d lines, %d more", lines, more)
		}
		e := a.events.Recent(1)[0]
		if e.Actor.From != "192.0.2.7" || !slices.Equal(e.Codes, []terminate.Code{terminate.CodeFailedLogin}) || len(e.Details) != 1 {
			t.Errorf("line %+v", e)
		}
		wrong := a.tokens[token.Viewer]
		id, err := token.ID(wrong)
		if err != nil {
			t.Fatal(err)
		}
		guess("192.0.2.8:4000", wrong[:len(wrong)-1]+"_")
		guess("192.0.2.8:4000", strings.Replace(wrong, wrong[len(wrong)-4:], "0000", 1))
		if e := a.events.Recent(1)[0]; e.Actor.From != "192.0.2.8" || strings.Contains(fmt.Sprint(e), wrong) {
			t.Errorf("line %+v of a token with the id %s", e, id)
		}
		for i := range 10 * loginsPerMinute {
			guess(fmt.Sprintf("198.51.%d.%d:1", i/250, i%250), "nonsense")
		}
		if lines, _ := a.audited(); lines > loginsPerMinute+1 {
			t.Errorf("%d lines of many addresses", lines)
		}
		time.Sleep(time.Minute + time.Second)
		if _, more := a.audited(); more < 9*loginsPerMinute {
			t.Errorf("%d more are told of", more)
		}
	})
}

// TestPolicyThatDoesNotHoldHereYet is answered with 202.
func TestPolicyThatDoesNotHoldHereYet(t *testing.T) {
	store := &collection{pending: true}
	a := newTestAPI(t, func(c *Config) { c.Policies = store })
	put := a.request("PUT", "/api/v1/policies/linux/job", token.Admin, tool)
	if text := a.want(put, http.StatusAccepted, ""); !strings.Contains(text, `"pending":true`) {
		t.Errorf("answer %s", text)
	}
	_, header, _ := a.do(a.request("GET", "/api/v1/policies/linux/job", token.Admin, ""))
	remove := a.request("DELETE", "/api/v1/policies/linux/job", token.Admin, "")
	remove.Header.Set("If-Match", header.Get("ETag"))
	if text := a.want(remove, http.StatusAccepted, ""); text != "" {
		t.Errorf("answer %s", text)
	}
	if last := a.events.Recent(1)[0]; last.Outcome != terminate.PolicyDeleted {
		t.Errorf("audited %+v", last)
	}
}

func TestMalformedIdentity(t *testing.T) {
	a := newTestAPI(t, nil)
	a.terminator.result = terminate.Result{Outcome: terminate.Refused, Reasons: []terminate.Reason{
		{Code: terminate.CodeIdentityMalformed, Kind: terminate.Conflict},
	}}
	a.want(a.request("POST", "/api/v1/processes/100/terminate", token.Operator, `{"identity":"x"}`), http.StatusBadRequest, "identity-malformed")
}
