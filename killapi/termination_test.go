package killapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/process"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

func (a *testAPI) post(body string) *http.Request {
	return a.request("POST", "/api/v1/processes/100/terminate", token.Operator, body)
}

func TestTerminatePassesTheRequestOn(t *testing.T) {
	a := newTestAPI(t, nil)
	body := a.want(a.post(`{"identity":"100-1000-0123abcd","dry_run":true,"reason":"too old"}`), http.StatusOK, "")
	if !strings.Contains(body, `"outcome":"terminated"`) {
		t.Errorf("answer %s", body)
	}
	got := a.terminator.requests()[0]
	if got.PID != 100 || got.Identity != "100-1000-0123abcd" || !got.DryRun || got.Reason != "too old" ||
		got.Actor.Role != "operator" || !strings.HasPrefix(got.Actor.Name, "the operator (") || got.Actor.Automation || got.Verdict == "" {
		t.Errorf("request %+v", got)
	}
}

func TestBadBodies(t *testing.T) {
	a := newTestAPI(t, nil)
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"no identity":     {`{}`, http.StatusPreconditionRequired, "identity-missing"},
		"both":            {`{"identity":"100-1000-0123abcd","name":"tool"}`, http.StatusBadRequest, "bad-request"},
		"not an object":   {`[]`, http.StatusBadRequest, "bad-request"},
		"null alone":      {`null`, http.StatusBadRequest, "bad-request"},
		"no JSON":         {`identity`, http.StatusBadRequest, "bad-request"},
		"cut":             {`{"identity":"100-`, http.StatusBadRequest, "bad-request"},
		"two values":      {goodBody + goodBody, http.StatusBadRequest, "bad-request"},
		"unknown key":     {`{"identity":"100-1000-0123abcd","force":true}`, http.StatusBadRequest, "bad-request"},
		"wrong case":      {`{"Identity":"100-1000-0123abcd"}`, http.StatusBadRequest, "bad-request"},
		"twice":           {`{"identity":"100-1000-0123abcd","identity":"200-2000-0123abcd"}`, http.StatusBadRequest, "bad-request"},
		"twice, by case":  {`{"identity":"100-1000-0123abcd","IDENTITY":"200-2000-0123abcd"}`, http.StatusBadRequest, "bad-request"},
		"null":            {`{"identity":"100-1000-0123abcd","dry_run":null}`, http.StatusBadRequest, "bad-request"},
		"wrong type":      {`{"identity":100}`, http.StatusBadRequest, "bad-request"},
		"text as boolean": {`{"identity":"100-1000-0123abcd","dry_run":"true"}`, http.StatusBadRequest, "bad-request"},
		"invalid UTF-8":   {"{\"identity\":\"100-1000-0123abcd\",\"reason\":\"\xff\"}", http.StatusBadRequest, "bad-request"},
		"long reason":     {`{"identity":"100-1000-0123abcd","reason":"` + strings.Repeat("x", maxReason+1) + `"}`, http.StatusBadRequest, "bad-request"},
		"huge":            {`{"identity":"` + strings.Repeat("x", maxBody) + `"}`, http.StatusRequestEntityTooLarge, "too-large"},
	} {
		t.Run(name, func(t *testing.T) {
			a.t = t
			a.want(a.post(c.body), c.status, c.code)
		})
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"} {
		r := a.post(goodBody)
		r.Header.Set("Content-Type", kind)
		a.want(r, http.StatusUnsupportedMediaType, "content-type")
	}
	for _, pid := range []string{"0", "-1", "x", "99999999999", "1e3"} {
		a.want(a.request("POST", "/api/v1/processes/"+pid+"/terminate", token.Operator, goodBody), http.StatusBadRequest, "bad-request")
	}
	if n := len(a.terminator.requests()); n != 0 {
		t.Errorf("%d bad requests were passed on", n)
	}
}

// TestUnmeasured has no inventory: a rule of policy that asks for a warning, or
// for memory, would not hold.
func TestUnmeasured(t *testing.T) {
	a := newTestAPI(t, func(c *Config) { c.Inventories = brokenInventory{} })
	a.want(a.post(goodBody), http.StatusServiceUnavailable, "failed")
	a.want(a.request("GET", "/api/v1/processes/100/termination", token.Viewer, ""), http.StatusServiceUnavailable, "failed")
	if n := len(a.terminator.requests()); n != 0 {
		t.Errorf("%d requests were passed on", n)
	}
	if events := a.events.Recent(10); len(events) != 1 || events[0].Codes[0] != terminate.CodeFailed || events[0].PID != 100 {
		t.Errorf("events %+v", events)
	}
}

type brokenInventory struct{}

func (brokenInventory) Take(context.Context) (*inventory.Inventory, error) {
	return nil, errors.New("no /proc")
}

// TestMeasuredByIdentity asks to end a process whose pid belongs to another one.
func TestMeasuredByIdentity(t *testing.T) {
	a := newTestAPI(t, nil)
	r := a.request("POST", "/api/v1/processes/300/terminate", token.Operator, `{"identity":"300-1-0123abcd"}`)
	a.want(r, http.StatusOK, "")
	if got := a.terminator.requests()[0]; got.Verdict != "" || got.Warnings != nil {
		t.Errorf("the request bears what is known of another process: %+v", got)
	}
}

func TestStatusOfResults(t *testing.T) {
	reason := func(code terminate.Code, kind terminate.Kind) terminate.Result {
		return terminate.Result{Outcome: terminate.Refused, Reasons: []terminate.Reason{{Code: code, Kind: kind, Text: language.Text{English: "No."}}}}
	}
	for _, c := range []struct {
		result terminate.Result
		status int
		code   string
	}{
		{terminate.Result{Outcome: terminate.Terminated}, http.StatusOK, ""},
		{terminate.Result{Outcome: terminate.Killed}, http.StatusOK, ""},
		{terminate.Result{Outcome: terminate.AlreadyExited}, http.StatusOK, ""},
		{terminate.Result{Outcome: terminate.WouldTerminate}, http.StatusOK, ""},
		{terminate.Result{Outcome: terminate.KillPending}, http.StatusAccepted, ""},
		{reason(terminate.GuardUID0, terminate.Protected), http.StatusForbidden, "uid-0"},
		{reason(terminate.GuardZombie, terminate.Protected), http.StatusConflict, "zombie"},
		{reason(terminate.CodePolicyDenied, terminate.Forbidden), http.StatusForbidden, "policy-denied"},
		{reason(terminate.CodeNotFound, terminate.Missing), http.StatusNotFound, "not-found"},
		{reason(terminate.CodeIdentityMissing, terminate.Conflict), http.StatusPreconditionRequired, "identity-missing"},
		{reason(terminate.CodeIdentityMismatch, terminate.Conflict), http.StatusConflict, "identity-mismatch"},
		{reason(terminate.CodePolicyUnavailable, terminate.Unavailable), http.StatusServiceUnavailable, "policy-unavailable"},
		{reason(terminate.CodeNoPidfd, terminate.Unsupported), http.StatusNotImplemented, "no-pidfd"},
	} {
		a := newTestAPI(t, nil)
		a.terminator.result = c.result
		a.want(a.post(goodBody), c.status, c.code)
	}
}

func TestTooManyTerminations(t *testing.T) {
	a := newTestAPI(t, nil)
	for range endingsPerMinute {
		a.want(a.post(goodBody), http.StatusOK, "")
	}
	a.want(a.post(goodBody), http.StatusTooManyRequests, "too-many-terminations")
	a.want(a.request("POST", "/api/v1/processes/100/terminate", token.Admin, goodBody), http.StatusOK, "")
}

func TestIdempotencyKey(t *testing.T) {
	a := newTestAPI(t, nil)
	keyed := func(role token.Role, key, body string) *http.Request {
		r := a.request("POST", "/api/v1/processes/100/terminate", role, body)
		r.Header.Set("Idempotency-Key", key)
		return r
	}
	first := a.want(keyed(token.Operator, "k", goodBody), http.StatusOK, "")
	again := a.want(keyed(token.Operator, "k", goodBody), http.StatusOK, "")
	if n := len(a.terminator.requests()); n != 1 || !strings.Contains(first, "T1") || !strings.Contains(again, "T1") {
		t.Errorf("%d terminations for one key: %s %s", n, first, again)
	}
	a.want(keyed(token.Operator, "k", `{"name":"tool"}`), http.StatusUnprocessableEntity, "idempotency-key-reused")
	a.want(keyed(token.Admin, "k", goodBody), http.StatusOK, "")
	a.want(keyed(token.Operator, "k2", goodBody), http.StatusOK, "")
	if n := len(a.terminator.requests()); n != 3 {
		t.Errorf("%d terminations, want one for each key and token", n)
	}
	a.want(keyed(token.Operator, "", goodBody), http.StatusBadRequest, "bad-request")
	a.want(keyed(token.Operator, strings.Repeat("k", maxKeyLength+1), goodBody), http.StatusBadRequest, "bad-request")

	a.terminator.result = terminate.Result{Outcome: terminate.Refused, Reasons: []terminate.Reason{{Code: terminate.CodeAuditUnavailable, Kind: terminate.Unavailable}}}
	a.want(keyed(token.Operator, "k3", goodBody), http.StatusServiceUnavailable, "audit-unavailable")
	a.terminator.result = terminate.Result{Outcome: terminate.Terminated}
	a.want(keyed(token.Operator, "k3", goodBody), http.StatusOK, "")
}

// TestIdempotencyKeyAtOnce sends one request many times at once.
func TestIdempotencyKeyAtOnce(t *testing.T) {
	a := newTestAPI(t, nil)
	a.terminator.wait = make(chan struct{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			r := a.post(goodBody)
			r.Header.Set("Idempotency-Key", "k")
			a.want(r, http.StatusOK, "")
		})
	}
	time.Sleep(50 * time.Millisecond)
	close(a.terminator.wait)
	wg.Wait()
	if n := len(a.terminator.requests()); n != 1 {
		t.Errorf("%d terminations for one key", n)
	}
}

func TestInspect(t *testing.T) {
	a := newTestAPI(t, nil)
	a.terminator.result = terminate.Result{Outcome: terminate.WouldTerminate}
	get := func() *http.Request { return a.request("GET", "/api/v1/processes/100/termination", token.Viewer, "") }
	if body := a.want(get(), http.StatusOK, ""); !strings.Contains(body, `"allowed":true`) {
		t.Errorf("answer %s", body)
	}
	a.terminator.result = terminate.Result{Outcome: terminate.Refused, Reasons: []terminate.Reason{{Code: terminate.GuardUID0}}}
	if body := a.want(get(), http.StatusOK, ""); !strings.Contains(body, `"allowed":false`) || !strings.Contains(body, `"uid-0"`) {
		t.Errorf("answer %s", body)
	}
	a.terminator.result = terminate.Result{Outcome: terminate.Refused, Reasons: []terminate.Reason{{Code: terminate.CodeNotFound, Kind: terminate.Missing}}}
	a.want(get(), http.StatusNotFound, "not-found")
	a.want(a.request("GET", "/api/v1/terminations/T2", token.Viewer, ""), http.StatusNotFound, "no-such-termination")
}

func FuzzTerminationBody(f *testing.F) {
	f.Add([]byte(goodBody))
	f.Add([]byte(`{"name":"x","dry_run":true}`))
	f.Add([]byte(`{"identity":"a","IDENTITY":"b"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var body terminationRequest
		if decodeExact(text, &body) != nil {
			return
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatalf("%q is taken", text)
		}
		for key, value := range members {
			if !slices.Contains([]string{"identity", "name", "dry_run", "reason"}, key) || value == nil {
				t.Errorf("%q is taken with its %q", text, key)
			}
		}
		for _, key := range []string{"IDENTITY", "Identity", "NAME", "Dry_Run"} {
			if strings.Contains(string(text), `{"`+key+`"`) {
				t.Errorf("%q is taken", text)
			}
		}
	})
}

// TestMeasuresAgain: the sequence measures before SIGKILL what policy may ask for.
func TestMeasuresAgain(t *testing.T) {
	inventory := &fixedInventory{[]process.Process{user(100, "tool", "/opt/tool/tool")}}
	a := newTestAPI(t, func(c *Config) { c.Inventories = inventory; c.Automation.Enforce = true })
	a.do(a.request("POST", "/api/v1/processes/100/terminate", token.Operator, goodBody))
	a.alerted(hook("firing", "f1", aboutTool...), http.StatusOK)
	for _, asked := range a.terminator.requests() {
		before := asked.MemoryRatio
		inventory.processes[0].ResidentBytes *= 2
		if err := asked.Measure(t.Context(), &asked); err != nil || asked.MemoryRatio != 2*before || before == 0 {
			t.Errorf("memory %v, was %v, %v", asked.MemoryRatio, before, err)
		}
		inventory.processes[0].ResidentBytes /= 2
	}
	if n := len(a.terminator.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}
