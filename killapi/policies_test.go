package killapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"server-monitor/internal/policy"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// collection is a collection of documents in memory. Its errors are those of the
// real one.
type collection struct {
	mu      sync.Mutex
	held    map[string]*HeldPolicy
	count   int
	broken  error
	changes int
	pending bool // what is changed does not hold here yet
}

func (c *collection) Hold(_ context.Context, platform policy.Platform, name string) (*HeldPolicy, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[string(platform)+"/"+name], c.broken
}

func (c *collection) Put(_ context.Context, d *policy.Document, over string) (*HeldPolicy, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.check(string(d.Platform)+"/"+d.Name, over); err != nil {
		return nil, err
	}
	c.count++
	held := &HeldPolicy{Document: d, Revision: fmt.Sprint("r", c.count), Pending: c.pending}
	if c.held == nil {
		c.held = make(map[string]*HeldPolicy)
	}
	c.held[string(d.Platform)+"/"+d.Name] = held
	return held, nil
}

func (c *collection) Delete(_ context.Context, platform policy.Platform, name, revision string) (pending bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.check(string(platform)+"/"+name, revision); err != nil {
		return false, err
	}
	delete(c.held, string(platform)+"/"+name)
	return c.pending, nil
}

func (c *collection) check(key, revision string) error {
	now := ""
	if held := c.held[key]; held != nil {
		now = held.Revision
	}
	if c.broken != nil || now != revision {
		return errors.Join(c.broken, ErrPolicyRevision)
	}
	c.changes++
	return nil
}

func newPolicyAPI(t *testing.T) (*testAPI, *collection) {
	t.Helper()
	store := new(collection)
	return newTestAPI(t, func(c *Config) { c.Policies = store }), store
}

// policy makes a request about a document; headers are name, value, ….
func (a *testAPI) policy(method, name string, role token.Role, body string, headers ...string) *http.Request {
	r := a.request(method, "/api/v1/policies/linux/"+name, role, body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

const tool = `{"category":"utility","description":"A tool.","description_i18n":{"en":"A tool.","ko":"도구입니다."},"policy":{"is_system":false,"terminatable":true,"reason":""}}`

func TestPolicyLife(t *testing.T) {
	a, _ := newPolicyAPI(t)
	a.want(a.policy("GET", "tool", token.Viewer, ""), http.StatusNotFound, "no-such-policy")
	status, header, body := a.do(a.policy("PUT", "tool", token.Admin, tool, "If-None-Match", "*"))
	first := header.Get("ETag")
	if status != http.StatusCreated || first != `"r1"` || !strings.Contains(body, `"name":"tool"`) || !strings.Contains(body, `"source":"mongodb"`) {
		t.Errorf("made: %d, ETag %s: %s", status, first, body)
	}
	_, header, _ = a.do(a.policy("GET", "tool", token.Viewer, ""))
	if header.Get("ETag") != first {
		t.Errorf("ETag %s, want %s", header.Get("ETag"), first)
	}
	if status, _, body := a.do(a.policy("GET", "tool", token.Viewer, "", "If-None-Match", first)); status != http.StatusNotModified || body != "" {
		t.Errorf("read again: %d %s", status, body)
	}
	for name, c := range map[string]struct {
		method, body string
		headers      []string
		status       int
		code         string
	}{
		"made twice":        {"PUT", tool, []string{"If-None-Match", "*"}, http.StatusPreconditionFailed, "precondition-failed"},
		"blindly":           {"PUT", tool, nil, http.StatusPreconditionRequired, "precondition-required"},
		"over another":      {"PUT", tool, []string{"If-Match", `"r9"`}, http.StatusPreconditionFailed, "precondition-failed"},
		"weakly":            {"PUT", tool, []string{"If-Match", `W/"r1"`}, http.StatusPreconditionFailed, "precondition-failed"},
		"no tag":            {"PUT", tool, []string{"If-Match", `r1`}, http.StatusBadRequest, "bad-request"},
		"cut tag":           {"PUT", tool, []string{"If-Match", `"r1`}, http.StatusBadRequest, "bad-request"},
		"unless it is":      {"PUT", tool, []string{"If-Match", `"r1"`, "If-None-Match", `"r1"`}, http.StatusPreconditionFailed, "precondition-failed"},
		"another name":      {"PUT", strings.Replace(tool, "{", `{"name":"other",`, 1), []string{"If-Match", `"r1"`}, http.StatusBadRequest, "bad-request"},
		"another platform":  {"PUT", strings.Replace(tool, "{", `{"platform":"windows",`, 1), []string{"If-Match", `"r1"`}, http.StatusBadRequest, "bad-request"},
		"unknown field":     {"PUT", strings.Replace(tool, `"reason"`, `"reasons"`, 1), []string{"If-Match", `"r1"`}, http.StatusBadRequest, "bad-request"},
		"wrong case":        {"PUT", strings.Replace(tool, `"terminatable"`, `"Terminatable"`, 1), []string{"If-Match", `"r1"`}, http.StatusBadRequest, "bad-request"},
		"null":              {"PUT", strings.Replace(tool, `"is_system":false`, `"is_system":null`, 1), []string{"If-Match", `"r1"`}, http.StatusBadRequest, "bad-request"},
		"text for boolean":  {"PUT", strings.Replace(tool, `:true`, `:"true"`, 1), []string{"If-Match", `"r1"`}, http.StatusBadRequest, "bad-request"},
		"malformed":         {"PUT", strings.Replace(tool, "{", `{"paths":["relative"],"expected_warnings":["NONSENSE"],`, 1), []string{"If-Match", `"r1"`}, http.StatusUnprocessableEntity, "malformed-policy"},
		"deleted blindly":   {"DELETE", "", nil, http.StatusPreconditionRequired, "precondition-required"},
		"deleted otherwise": {"DELETE", "", []string{"If-Match", `"r9", "r8"`}, http.StatusPreconditionFailed, "precondition-failed"},
	} {
		t.Run(name, func(t *testing.T) {
			a.t = t
			a.want(a.policy(c.method, "tool", token.Admin, c.body, c.headers...), c.status, c.code)
		})
	}
	a.t = t
	_, header, _ = a.do(a.policy("PUT", "tool", token.Admin, strings.Replace(tool, "true", "false", 1), "If-Match", `"r0", "r1"`))
	if header.Get("ETag") != `"r2"` {
		t.Errorf("changed: ETag %s", header.Get("ETag"))
	}
	a.want(a.policy("DELETE", "tool", token.Admin, "", "If-Match", first), http.StatusPreconditionFailed, "precondition-failed")
	a.want(a.policy("DELETE", "tool", token.Admin, "", "If-Match", `"r2"`), http.StatusNoContent, "")
	a.want(a.policy("GET", "tool", token.Viewer, ""), http.StatusNotFound, "no-such-policy")
	a.want(a.policy("DELETE", "tool", token.Admin, "", "If-Match", `*`), http.StatusNotFound, "no-such-policy")
	a.want(a.policy("PUT", "tool", token.Admin, tool), http.StatusCreated, "")
	a.want(a.policy("DELETE", "tool", token.Admin, "", "If-Match", `*`), http.StatusNoContent, "")
}

// TestEmbeddedPolicyIsCovered changes a document of the catalogue.
func TestEmbeddedPolicyIsCovered(t *testing.T) {
	a, store := newPolicyAPI(t)
	_, header, body := a.do(a.policy("GET", "sshd", token.Viewer, ""))
	tag := header.Get("ETag")
	if !strings.HasPrefix(tag, `"embedded-`) || !strings.Contains(body, `"source":"catalogue"`) {
		t.Fatalf("ETag %s: %s", tag, body)
	}
	a.want(a.policy("DELETE", "sshd", token.Admin, "", "If-Match", tag), http.StatusConflict, "embedded")
	a.want(a.policy("PUT", "sshd", token.Admin, tool, "If-Match", `"embedded-0"`), http.StatusPreconditionFailed, "precondition-failed")
	for _, headers := range [][]string{{"If-Match", tag}, {"If-None-Match", "*"}} {
		body := a.want(a.policy("PUT", "sshd", token.Admin, tool, headers...), http.StatusCreated, "")
		if !strings.Contains(body, `"embedded":true`) {
			t.Errorf("nothing says that the catalogue has it too: %s", body)
		}
		store.held = nil
	}
	for _, path := range []string{"linux/SSHD", "mac/sshd", "linux/..%2fsshd", "linux/a%2Fb"} {
		a.want(a.request("GET", "/api/v1/policies/"+path, token.Viewer, ""), http.StatusNotFound, "no-such-policy")
	}
}

func TestPoliciesWithoutDatabase(t *testing.T) {
	a := newTestAPI(t, nil)
	a.want(a.policy("GET", "sshd", token.Viewer, ""), http.StatusOK, "")
	a.want(a.policy("GET", "nonsense", token.Viewer, ""), http.StatusNotFound, "no-such-policy")
	a.want(a.policy("PUT", "sshd", token.Admin, tool), http.StatusNotImplemented, "no-policy-store")
	a.want(a.policy("DELETE", "sshd", token.Admin, ""), http.StatusNotImplemented, "no-policy-store")
	body := a.want(a.request("GET", "/api/v1/policies", token.Viewer, ""), http.StatusOK, "")
	if !strings.Contains(body, `"writable":false`) || !strings.Contains(body, `"invalid":[]`) {
		t.Errorf("list %s", body)
	}
}

func TestPoliciesWhereTheDatabaseIsAway(t *testing.T) {
	a, store := newPolicyAPI(t)
	store.broken = errors.New("connection to mongodb://user:hunter2@db refused")
	for _, r := range []*http.Request{
		a.policy("GET", "sshd", token.Viewer, ""), a.policy("PUT", "tool", token.Admin, tool), a.policy("DELETE", "tool", token.Admin, "", "If-Match", `"r1"`),
	} {
		if body := a.want(r, http.StatusServiceUnavailable, "policy-unavailable"); strings.Contains(body, "hunter2") {
			t.Errorf("the answer holds a secret: %s", body)
		}
	}
	store.broken = ErrPolicyDuplicate
	a.want(a.policy("GET", "tool", token.Viewer, ""), http.StatusConflict, "duplicate-policy")
	a.want(a.request("GET", "/api/v1/policies", token.Viewer, ""), http.StatusOK, "")
	if store.changes != 0 {
		t.Errorf("%d changes", store.changes)
	}
}

// TestMalformedPolicyCanBePutRight reads a document that cannot be decoded.
func TestMalformedPolicyCanBePutRight(t *testing.T) {
	a, store := newPolicyAPI(t)
	store.held = map[string]*HeldPolicy{"linux/tool": {Revision: "r0", Problems: []policy.Problem{{Field: "policy.terminatable", Text: "is a number", Grave: true}}}}
	if body := a.want(a.policy("GET", "tool", token.Viewer, ""), http.StatusOK, ""); !strings.Contains(body, `"document":null`) || !strings.Contains(body, "is a number") {
		t.Errorf("answer %s", body)
	}
	a.want(a.policy("PUT", "tool", token.Admin, tool, "If-Match", `"r0"`), http.StatusOK, "")
}

// failingAudit cannot keep anything.
type failingAudit struct{}

func (failingAudit) Record(context.Context, *terminate.Event) error { return errors.New("disk full") }

func TestPolicyChangesAreAudited(t *testing.T) {
	a, store := newPolicyAPI(t)
	a.want(a.policy("PUT", "tool", token.Admin, tool), http.StatusCreated, "")
	a.want(a.policy("PUT", "tool", token.Admin, tool, "If-Match", `"r1"`), http.StatusOK, "")
	a.want(a.policy("DELETE", "tool", token.Admin, "", "If-Match", `"r2"`), http.StatusNoContent, "")
	a.want(a.policy("DELETE", "tool", token.Operator, "", "If-Match", `"r2"`), http.StatusForbidden, "role")
	var got []string
	for _, e := range a.events.Recent(100) {
		if e.Document != "linux/tool" || e.ID == "" || !strings.Contains(e.Actor.Name, "the ") || e.Actor.From == "" {
			t.Errorf("event %+v", e)
		}
		got = append(got, fmt.Sprintf("%s %s%s %s", e.Stage, e.Decision, e.Outcome, e.Change))
	}
	want := "decision refusedrefused ;outcome policy_deleted delete;decision accepted delete;outcome policy_changed put: lets an operator end it;" +
		"decision accepted put: lets an operator end it;outcome policy_created put: lets an operator end it;decision accepted put: lets an operator end it"
	if strings.Join(got, ";") != want {
		t.Errorf("audit\n%s\nwant\n%s", strings.Join(got, ";"), want)
	}

	store.changes = 0
	full := newTestAPI(t, func(c *Config) { c.Policies, c.Audit = store, failingAudit{} })
	full.want(full.policy("PUT", "tool", token.Admin, tool), http.StatusServiceUnavailable, "audit-unavailable")
	if store.changes != 0 {
		t.Error("policy was changed unaudited")
	}
}

// TestTwoAdminsAtOnce has many admins change what they all have read.
func TestTwoAdminsAtOnce(t *testing.T) {
	a, store := newPolicyAPI(t)
	a.want(a.policy("PUT", "tool", token.Admin, tool), http.StatusCreated, "")
	store.changes = 0
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { a.do(a.policy("PUT", "tool", token.Admin, tool, "If-Match", `"r1"`)) })
	}
	wg.Wait()
	if store.changes != 1 {
		t.Errorf("%d changes of one revision", store.changes)
	}
}

func TestListPolicies(t *testing.T) {
	set := policy.Build(policy.Linux, policy.Contents{
		Catalogue: []policy.Document{{Name: "sshd", Platform: policy.Linux, Category: "remote_access"}, {Name: "zed", Platform: policy.Windows, Category: "utility"}},
		Store:     []policy.Document{{Name: "sshd", Platform: policy.Linux, Category: "network"}, {Name: "app", Platform: policy.Common, Category: "utility", Description: "Ours"}},
		Invalid:   []policy.Invalid{{Collection: policy.KnownProcesses, ID: "1", Name: "bad", Problems: []policy.Problem{{Document: "linux/bad", Field: "name", Text: "is wrong", Grave: true}}}},
	})
	a := newTestAPI(t, func(c *Config) { c.Policy, c.Policies = policy.Fixed{Set: set}, new(collection) })
	for query, want := range map[string]string{
		"":                        "3: app sshd zed",
		"?sort=-name":             "3: zed sshd app",
		"?sort=platform":          "3: app sshd zed",
		"?platform=linux":         "1: sshd",
		"?source=mongodb":         "2: app sshd",
		"?source=catalogue":       "1: zed",
		"?q=OUR":                  "1: app",
		"?limit=1&offset=1":       "3: sshd",
		"?q=nonsense":             "0:",
		"?sort=category&limit=10": "3: sshd app zed",
	} {
		body := a.want(a.request("GET", "/api/v1/policies"+query, token.Viewer, ""), http.StatusOK, "")
		var list struct {
			Total    int
			Writable bool
			Policies []struct{ Document policy.Document }
			Invalid  []policy.Invalid
		}
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%d:", list.Total)
		for _, p := range list.Policies {
			got += " " + p.Document.Name
		}
		if got != want || !list.Writable || len(list.Invalid) != 1 {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"platform=mac", "source=x", "sort=size", "limit=x", "offset=-1", "colour=red", "q=a&q=b"} {
		a.want(a.request("GET", "/api/v1/policies?"+query, token.Viewer, ""), http.StatusBadRequest, "bad-request")
	}
}

func FuzzEntityTags(f *testing.F) {
	for _, text := range []string{`*`, `"a"`, `"a", W/"b"`, `"`, `W/`, `"a""b"`, ``, `, ,`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseTags([]string{text})
		if err != nil {
			return
		}
		for _, tag := range list.tags {
			if !strings.Contains(text, `"`+tag+`"`) {
				t.Errorf("%q holds no tag %q", text, tag)
			}
			if !list.holds(tag) && tag != "" {
				t.Errorf("%q does not hold its own tag %q", text, tag)
			}
		}
	})
}
