package killapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// TestDescriptionAndCallsAgree compares the description with the table of calls.
func TestDescriptionAndCallsAgree(t *testing.T) {
	a := newTestAPI(t, nil)
	described := make(map[string]operation)
	for _, o := range theContract.operations() {
		described[o.String()] = o
	}
	for _, c := range a.calls() {
		o, ok := described[c.method+" "+c.path]
		if !ok {
			t.Errorf("%s %s is not described", c.method, c.path)
			continue
		}
		delete(described, o.String())
		if o.node["x-role"] != string(c.role) {
			t.Errorf("%s: role %q, described as %q", o.String(), c.role, o.node["x-role"])
		}
		security, overridden := o.node["security"].([]any)
		without := slices.ContainsFunc(security, func(s any) bool { return len(s.(map[string]any)) == 0 }) || overridden && len(security) == 0
		if without != (c.open || c.role == "") {
			t.Errorf("%s: open %v, described otherwise", o.String(), c.open)
		}
		var query, inPath []string
		for _, p := range theContract.parameters(&o) {
			switch p["in"] {
			case "query":
				query = append(query, p["name"].(string))
			case "path":
				inPath = append(inPath, "{"+p["name"].(string)+"}")
			}
			if p["example"] == nil || p["schema"] == nil {
				t.Errorf("%s: parameter %v without example or schema", o.String(), p["name"])
			}
		}
		slices.Sort(query)
		if want := slices.Sorted(slices.Values(c.parameters)); !slices.Equal(query, want) {
			t.Errorf("%s: parameters %v, described are %v", o.String(), want, query)
		}
		for _, variable := range inPath {
			if !strings.Contains(c.path, variable) {
				t.Errorf("%s: no %s in the path", o.String(), variable)
			}
		}
		if strings.Count(c.path, "{") != len(inPath) {
			t.Errorf("%s: %d variables are described", o.String(), len(inPath))
		}
	}
	for name := range described {
		t.Errorf("%s is described, and is no call", name)
	}
}

// TestDescriptionIsWhole compiles every schema and looks at what tools need.
func TestDescriptionIsWhole(t *testing.T) {
	if theContract.document["openapi"] != "3.1.0" {
		t.Errorf("version %v", theContract.document["openapi"])
	}
	ids := make(map[string]bool)
	for _, o := range theContract.operations() {
		id, _ := o.node["operationId"].(string)
		if id == "" || ids[id] || o.node["summary"] == "" {
			t.Errorf("%s: operationId %q", o.String(), id)
		}
		ids[id] = true
		for status := range o.node["responses"].(map[string]any) {
			response, _ := theContract.at(o.node, "responses", status)
			if text, _ := response.(map[string]any)["description"].(string); text == "" {
				t.Errorf("%s: status %s without a description", o.String(), status)
			}
		}
	}
	schemas, _ := theContract.at(theContract.document, "components", "schemas")
	used := string(description)
	for name := range schemas.(map[string]any) {
		if _, err := theContract.schema("#/components/schemas/" + name); err != nil {
			t.Error(err)
		}
		if !strings.Contains(used, `"#/components/schemas/`+name+`"`) {
			t.Errorf("schema %s is used nowhere", name)
		}
	}
}

func TestEverybodyMayReadTheDescription(t *testing.T) {
	a := newTestAPI(t, nil)
	status, _, body := a.do(a.request("GET", "/api/v1/openapi.json", "", ""))
	if status != http.StatusOK || body != string(description) {
		t.Errorf("status %d", status)
	}
}

// example is a request for an operation that passes all gates.
func (a *testAPI) example(o *operation, role token.Role) *http.Request {
	path := o.path
	for _, p := range theContract.parameters(o) {
		if p["in"] == "path" {
			path = strings.Replace(path, "{"+p["name"].(string)+"}", fmt.Sprint(p["example"]), 1)
		}
	}
	body := ""
	switch o.node["operationId"] {
	case "terminate":
		body = goodBody
	case "putPolicy":
		body = tool
	case "receiveAlerts":
		body = `{"version":"4"}`
	}
	return a.request(o.method, path, role, body)
}

// roleOf is the role that an operation needs, and one that does not include it.
func roleOf(o *operation) (role, other token.Role) {
	role = token.Role(o.node["x-role"].(string))
	if role == token.Viewer {
		return role, token.Automation
	}
	if role == token.Automation {
		return role, token.Admin
	}
	return role, token.Viewer
}

// TestGatesOfEveryCall shows that no call has forgotten a gate.
func TestGatesOfEveryCall(t *testing.T) {
	for _, o := range theContract.operations() {
		t.Run(o.String(), func(t *testing.T) {
			a := newTestAPI(t, func(c *Config) { c.Policies = new(collection) })
			role, other := roleOf(&o)
			change := func(do func(*http.Request)) *http.Request {
				r := a.example(&o, role)
				do(r)
				return r
			}
			a.want(change(func(r *http.Request) { r.Host = "evil.example" }), http.StatusMisdirectedRequest, "host")
			a.want(change(func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }), http.StatusForbidden, "cross-origin")
			a.want(change(func(r *http.Request) { r.URL.RawQuery = "access_token=x" }), http.StatusBadRequest, "token-in-query")
			a.want(change(func(r *http.Request) { r.URL.RawQuery = "nonsense=1" }), http.StatusBadRequest, "bad-request")
			if role == "" {
				return
			}
			a.want(change(func(r *http.Request) { r.Header.Del("Authorization") }), http.StatusUnauthorized, "unauthorized")
			a.want(a.example(&o, other), http.StatusForbidden, "role")
			for range failuresPerMinute {
				a.want(change(func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }), http.StatusUnauthorized, "unauthorized")
			}
			a.want(change(func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }), http.StatusTooManyRequests, "too-many-failed-logins")

			off := newTestAPI(t, func(c *Config) { c.Tokens, c.Terminator = nil, nil })
			if _, open := o.node["security"]; !open {
				off.want(off.example(&o, ""), http.StatusNotImplemented, "off")
			}
		})
	}
}

// TestParametersAsDescribed makes each call with the example of each parameter.
func TestParametersAsDescribed(t *testing.T) {
	l := startLive(t, func(c *Config) { c.Policies = new(collection) })
	l.append("a line\n")
	for _, o := range theContract.operations() {
		role, _ := roleOf(&o)
		for _, p := range theContract.parameters(&o) {
			r := l.example(&o, role)
			query, example := r.URL.Query(), fmt.Sprint(p["example"])
			switch p["in"] {
			case "query":
				query.Set(p["name"].(string), example)
			case "header":
				r.Header.Set(p["name"].(string), example)
			}
			if o.path == "/api/v1/logs/stream" {
				query.Set("source", "test")
			}
			r.URL.RawQuery = query.Encode()
			if strings.HasSuffix(o.path, "stream") {
				ctx, cancel := context.WithCancel(t.Context())
				events, answer := l.watch(ctx, r.URL.RequestURI(), role)
				if answer.StatusCode != http.StatusOK {
					t.Errorf("%s with %v: status %d", o.String(), p["name"], answer.StatusCode)
				}
				cancel()
				over(t, events)
				continue
			}
			if status, _, body := l.do(r); status == http.StatusBadRequest {
				t.Errorf("%s with %v=%v: %s", o.String(), p["name"], p["example"], body)
			}
		}
	}
	l.rest()
}

// TestEveryReasonHasItsStatus refuses a termination for every reason there is.
func TestEveryReasonHasItsStatus(t *testing.T) {
	a := newTestAPI(t, nil)
	for _, reason := range terminate.Reasons() {
		a.endings = newAttempts(endingsPerMinute, time.Minute)
		a.terminator.result = terminate.Result{Outcome: terminate.Refused, Reasons: []terminate.Reason{reason}}
		status, _, body := a.do(a.post(goodBody))
		if status < 400 || !strings.Contains(body, `"code":"`+string(reason.Code)+`"`) || !strings.Contains(body, reason.Text.Korean) {
			t.Errorf("%s: status %d: %s", reason.Code, status, body)
		}
	}
}

func TestTooManyIdempotencyKeys(t *testing.T) {
	a := newTestAPI(t, nil)
	a.answers.byKey = make(map[answerKey]*kept)
	for i := range maxKeys {
		a.answers.byKey[answerKey{"x", fmt.Sprint(i)}] = &kept{begun: time.Now()}
	}
	r := a.post(goodBody)
	r.Header.Set("Idempotency-Key", "one more")
	a.want(r, http.StatusServiceUnavailable, "too-many-idempotency-keys")
	for _, old := range a.answers.byKey {
		old.begun = time.Now().Add(-keyLife)
	}
	again := a.post(goodBody)
	again.Header.Set("Idempotency-Key", "one more")
	a.want(again, http.StatusOK, "")
}

// TestWhatIsNotOffered has a server without parts.
func TestWhatIsNotOffered(t *testing.T) {
	a := newTestAPI(t, func(c *Config) { c.Services, c.Resources, c.Policy, c.Terminator = nil, nil, nil, nil })
	for _, path := range []string{"/api/v1/services", "/api/v1/resources", "/api/v1/policies", "/api/v1/policies/linux/sshd"} {
		a.want(a.request("GET", path, token.Viewer, ""), http.StatusNotImplemented, "not-offered")
	}
	a.want(a.request("GET", "/api/v1/processes/100/termination", token.Viewer, ""), http.StatusNotImplemented, "off")
	a.want(a.request("GET", "/api/v1/terminations/T1", token.Viewer, ""), http.StatusNotImplemented, "off")
	a.want(a.post(goodBody), http.StatusNotImplemented, "off")
}

// TestUnexpectedFailures are told as such, without what they are.
func TestUnexpectedFailures(t *testing.T) {
	a := newTestAPI(t, func(c *Config) { c.Inventories = secretiveInventory{} })
	if body := a.want(a.request("GET", "/api/v1/processes", token.Viewer, ""), http.StatusInternalServerError, "internal"); strings.Contains(body, "hunter2") {
		t.Errorf("the answer holds a secret: %s", body)
	}
}

type secretiveInventory struct{}

func (secretiveInventory) Take(context.Context) (*inventory.Inventory, error) {
	return nil, fmt.Errorf("the password is hunter2")
}

// TestBodiesOfEveryCall turns away what is no body for a call.
func TestBodiesOfEveryCall(t *testing.T) {
	for _, o := range theContract.operations() {
		if o.node["requestBody"] == nil {
			continue
		}
		a := newTestAPI(t, func(c *Config) { c.Policies = new(collection) })
		role, _ := roleOf(&o)
		with := func(body, kind string) *http.Request {
			r := a.request(o.method, a.example(&o, role).URL.Path, role, body)
			r.Header.Set("Content-Type", kind)
			return r
		}
		a.want(with("{}", "text/plain"), http.StatusUnsupportedMediaType, "content-type")
		a.want(with(`{"x":"`+strings.Repeat("x", maxBody)+`"}`, "application/json"), http.StatusRequestEntityTooLarge, "too-large")
		a.want(with(`{`, "application/json"), http.StatusBadRequest, "bad-request")
	}
}

// TestRareAnswers sees the answers that no other test looks for.
func TestRareAnswers(t *testing.T) {
	a, store := newPolicyAPI(t)
	a.want(a.request("PUT", "/api/v1/policies/mac/tool", token.Admin, tool), http.StatusNotFound, "no-such-policy")
	store.broken = ErrPolicyDuplicate
	a.want(a.policy("PUT", "tool", token.Admin, tool), http.StatusConflict, "duplicate-policy")
	a.want(a.policy("DELETE", "tool", token.Admin, "", "If-Match", `"r1"`), http.StatusConflict, "duplicate-policy")
	store.broken = nil
	a.want(a.policy("PUT", "tool", token.Admin, tool), http.StatusCreated, "")
	a.config.Audit = failingAudit{}
	a.want(a.policy("DELETE", "tool", token.Admin, "", "If-Match", `*`), http.StatusServiceUnavailable, "audit-unavailable")

	full := terminate.Result{
		Outcome: terminate.Terminated, Method: terminate.Soft, Sent: []string{"SIGTERM"}, Done: true, Started: time.Now(), SoftSeconds: 0.1, TotalSeconds: 0.2,
		Subject: terminate.Subject{PID: 100, Identity: identity(100).String(), Name: "tool", UIDs: []int{1000, 1000, 1000, 1000}, State: "sleeping"},
		Policy:  terminate.Ruling{State: "fresh", Denied: true, Source: "document linux/tool"}, Children: []terminate.Child{{PID: 101, Identity: "x", Name: "child"}},
	}
	a.terminator.result = full
	a.want(a.post(goodBody), http.StatusOK, "")
	a.want(a.request("GET", "/api/v1/terminations/T1", token.Viewer, ""), http.StatusOK, "")
	full.Outcome, full.Reasons = terminate.Refused, []terminate.Reason{{Code: terminate.GuardUID0, Text: language.Text{English: "No.", Korean: "안 됨."}, Detail: "uid 0"}}
	a.terminator.result = full
	a.want(a.request("GET", "/api/v1/processes/100/termination", token.Viewer, ""), http.StatusOK, "")
	a.want(a.request("GET", "/api/v1/audit?limit=5", token.Admin, ""), http.StatusOK, "")
}
