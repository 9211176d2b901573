package killapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"server-monitor/internal/inventory"
	"server-monitor/internal/logtail"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/resources"
	"server-monitor/internal/risk"
	"server-monitor/internal/service"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

const boot = "0123abcd"

var hostNamespaces = process.Namespaces{Mount: 1, Net: 2, PID: 3, User: 4}

func identity(pid int) process.Identity {
	return process.Identity{PID: pid, StartTicks: uint64(10 * pid), Boot: boot}
}

// fixedInventory is a server with a few processes.
type fixedInventory struct{ processes []process.Process }

func (f fixedInventory) Take(context.Context) (*inventory.Inventory, error) {
	set := policy.NewSet(policy.Linux)
	judge := risk.NewJudge(risk.Criteria{HighMemoryRatio: 0.2})
	i := &inventory.Inventory{
		Snapshot: &process.Snapshot{Taken: time.Unix(1_795_550_000, 0), MemoryTotal: 1 << 30, Processes: f.processes}, Policy: set,
	}
	for n := range f.processes {
		a := judge.Assess(&f.processes[n], judge.Moment(&f.processes[n], i.MemoryTotal), set)
		i.Assessments = append(i.Assessments, &a)
	}
	return i, nil
}

// user is a process of a logged-in user.
func user(pid int, name, exe string, ports ...uint16) process.Process {
	p := process.Process{
		Identity: identity(pid), PPID: 1, Comm: name, State: process.Sleeping, Session: pid - 1, TTY: "pts/1", ResidentBytes: uint64(pid) << 20, OpenFDs: 3,
		Threads: 1, StartTime: time.Unix(1_795_000_000, 0),
		Facts: &process.Facts{Name: name, Exe: exe, UID: 1000, User: "eve", Slice: "user.slice", Unit: "session-1.scope", Namespaces: hostNamespaces},
	}
	for _, port := range ports {
		p.Listen = append(p.Listen, process.Socket{Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), port)})
	}
	return p
}

// fakeTerminator answers as it is told, and keeps what it was asked.
type fakeTerminator struct {
	mu     sync.Mutex
	asked  []terminate.Request
	result terminate.Result
	wait   chan struct{} // if not nil, a request waits for it
}

func (f *fakeTerminator) Terminate(_ context.Context, request terminate.Request) terminate.Result {
	f.mu.Lock()
	f.asked = append(f.asked, request)
	result := f.result
	f.mu.Unlock()
	if f.wait != nil {
		<-f.wait
	}
	result.ID, result.DryRun = "T1", request.DryRun
	return result
}

func (f *fakeTerminator) Inspect(_ context.Context, request terminate.Request) terminate.Result {
	return f.result
}

func (f *fakeTerminator) Find(id string) (terminate.Result, bool) {
	return terminate.Result{ID: id, Outcome: f.result.Outcome}, id == "T1"
}

func (f *fakeTerminator) requests() []terminate.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// fakeServices is a manager of one service.
type fakeServices struct{}

func (fakeServices) Services(context.Context) ([]service.Service, error) {
	return []service.Service{{Name: "nginx", State: service.Active, Source: service.Systemd, Configured: true}}, nil
}

// testAPI is an API with a token of each role.
type testAPI struct {
	*API
	t          testing.TB
	terminator *fakeTerminator
	events     *terminate.RecentEvents
	tokens     map[token.Role]string
	file       token.File
	log        *bytes.Buffer

	mu     sync.Mutex
	denied map[string]int
	// turnedAwayBy counts by code and kind of actor.
	turnedAwayBy map[string]int
}

// count counts what was denied.
func (a *testAPI) count(code string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.denied[code]++
}

func (a *testAPI) countTurnAway(code, actor string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turnedAwayBy[code+" "+actor]++
}

const testHost = "127.0.0.1:10043"

func newTestAPI(t testing.TB, change func(*Config)) *testAPI {
	t.Helper()
	a := &testAPI{
		t: t, denied: make(map[string]int), turnedAwayBy: make(map[string]int), terminator: &fakeTerminator{result: terminate.Result{Outcome: terminate.Terminated, Method: terminate.Soft}},
		events: new(terminate.RecentEvents), tokens: make(map[token.Role]string), log: new(bytes.Buffer),
		file: token.File{Path: filepath.Join(t.TempDir(), "tokens.json")},
	}
	for _, role := range token.Roles {
		secret, _, err := a.file.Create("the "+string(role), role, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		a.tokens[role] = secret
	}
	logger := slog.New(slog.NewTextHandler(a.log, nil))
	tokens, err := token.NewKeeper(a.file, logger)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{
		Inventories: fixedInventory{[]process.Process{
			user(100, "tool", "/opt/tool/tool"), user(200, "web", "/opt/web/web", 27017), user(300, "evil", "/tmp/evil"),
			{Identity: identity(2), Kernel: true, Facts: &process.Facts{Name: "kthreadd"}},
		}},
		Tokens: tokens, Terminator: a.terminator, Services: fakeServices{}, Logger: logger,
		Host: func() *terminate.Host {
			return &terminate.Host{Boot: boot, Systemd: true, Login: terminate.DefaultLogin, Namespaces: hostNamespaces}
		},
		Events: recent{a.events}, Hosts: []string{testHost},
		Logs:       map[string]logtail.Log{"test": logtail.NewFile(a.file.Path + ".log")},
		Automation: &Automation{}, Audit: a.events, Resources: fixedResources{}, Policy: policy.Fixed{Set: policy.NewSet(policy.Linux, policy.Catalogue()...)},
		Denied: a.count, TurnedAway: a.countTurnAway,
	}
	if change != nil {
		change(&config)
	}
	a.API = New(config)
	t.Cleanup(a.Close)
	return a
}

// fixedResources are those of a machine of which nothing is known.
type fixedResources struct{}

func (fixedResources) Take(context.Context) (*resources.Resources, error) {
	return &resources.Resources{FileSystems: []resources.FileSystem{}}, nil
}

type recent struct{ *terminate.RecentEvents }

func (r recent) Recent(n int) ([]terminate.Event, error) { return r.RecentEvents.Recent(n), nil }

// request makes a request that passes all gates.
func (a *testAPI) request(method, path string, role token.Role, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = testHost
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if role != "" {
		r.Header.Set("Authorization", "Bearer "+a.tokens[role])
	}
	return r
}

// do makes a request and returns the answer.
func (a *testAPI) do(r *http.Request) (status int, header http.Header, body string) {
	a.t.Helper()
	w := httptest.NewRecorder()
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	a.ServeHTTP(w, r)
	r.Body = io.NopCloser(bytes.NewReader(sent)) // for whoever sends it again
	answer := w.Result()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	theContract.hold(a.t, r, string(sent), answer.StatusCode, answer.Header, string(text))
	return answer.StatusCode, answer.Header, string(text)
}

// want makes a request that must be answered with a status, and with a problem
// of a code where that is not empty.
func (a *testAPI) want(r *http.Request, status int, code string) string {
	a.t.Helper()
	got, header, body := a.do(r)
	if got != status {
		a.t.Errorf("%s %s: status %d, want %d: %s", r.Method, r.URL, got, status, body)
	}
	if code == "" {
		return body
	}
	var p struct {
		Code   string `json:"code"`
		Status int    `json:"status"`
		Title  string `json:"title"`
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Code != code || p.Status != status || p.Title == "" {
		a.t.Errorf("%s %s: problem %s, want code %q", r.Method, r.URL, body, code)
	}
	if kind := header.Get("Content-Type"); kind != "application/problem+json" {
		a.t.Errorf("%s %s: content type %q", r.Method, r.URL, kind)
	}
	return body
}

const goodBody = `{"identity":"100-1000-0123abcd"}`

// TestRolesAndCalls makes every call with every role, and without a token.
func TestRolesAndCalls(t *testing.T) {
	hook := `{"version":"4","alerts":[]}`
	may := map[token.Role][]string{
		token.Viewer: {"processes", "process", "inspect", "termination", "services"}, token.Automation: {"alerts"},
	}
	may[token.Viewer] = append(may[token.Viewer], "logs")
	may[token.Operator] = append([]string{"terminate"}, may[token.Viewer]...)
	may[token.Admin] = append([]string{"audit"}, may[token.Operator]...)
	calls := map[string]struct{ method, path, body string }{
		"processes":   {"GET", "/api/v1/processes", ""},
		"process":     {"GET", "/api/v1/processes/100", ""},
		"inspect":     {"GET", "/api/v1/processes/100/termination", ""},
		"terminate":   {"POST", "/api/v1/processes/100/terminate", goodBody},
		"termination": {"GET", "/api/v1/terminations/T1", ""},
		"services":    {"GET", "/api/v1/services", ""},
		"logs":        {"GET", "/api/v1/logs", ""},
		"alerts":      {"POST", "/api/v1/alerts", hook},
		"audit":       {"GET", "/api/v1/audit", ""},
	}
	if n := len(newTestAPI(t, nil).calls()); n > len(calls) {
		t.Logf("%d calls are offered, %d are tested here", n, len(calls))
	}
	for name, c := range calls {
		for _, role := range token.Roles {
			a := newTestAPI(t, nil)
			status, code := http.StatusForbidden, "role"
			for _, allowed := range may[role] {
				if allowed == name {
					status, code = http.StatusOK, ""
				}
			}
			a.want(a.request(c.method, c.path, role, c.body), status, code)
		}
		a := newTestAPI(t, nil)
		a.want(a.request(c.method, c.path, "", c.body), http.StatusUnauthorized, "unauthorized")
	}
}

func TestLogins(t *testing.T) {
	cases := map[string]func(*testAPI, *http.Request){
		"no scheme":   func(a *testAPI, r *http.Request) { r.Header.Set("Authorization", a.tokens[token.Admin]) },
		"basic":       func(a *testAPI, r *http.Request) { r.SetBasicAuth("admin", a.tokens[token.Admin]) },
		"wrong":       func(a *testAPI, r *http.Request) { r.Header.Set("Authorization", "Bearer "+a.tokens[token.Admin]+"x") },
		"empty":       func(a *testAPI, r *http.Request) { r.Header.Set("Authorization", "") },
		"two headers": func(a *testAPI, r *http.Request) { r.Header.Add("Authorization", "Bearer "+a.tokens[token.Viewer]) },
		"revoked": func(a *testAPI, _ *http.Request) {
			id, err := token.ID(a.tokens[token.Admin])
			if err != nil {
				t.Fatal(err)
			}
			if err := a.file.Revoke(id); err != nil {
				t.Fatal(err)
			}
		},
		"cookie": func(a *testAPI, r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(&http.Cookie{Name: "token", Value: a.tokens[token.Admin]})
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			a := newTestAPI(t, nil)
			r := a.request("GET", "/api/v1/audit", token.Admin, "")
			change(a, r)
			_, header, _ := a.do(r)
			if header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
			a.want(r, http.StatusUnauthorized, "unauthorized")
			for _, secret := range a.tokens {
				if strings.Contains(a.log.String(), secret) {
					t.Errorf("the log holds a token: %s", a.log)
				}
			}
		})
	}
}

func TestTooManyFailedLogins(t *testing.T) {
	a := newTestAPI(t, nil)
	show := func(from, secret string) *http.Request {
		r := a.request("GET", "/api/v1/audit", "", "")
		r.RemoteAddr = from
		r.Header.Set("X-Forwarded-For", "10.9.9.9")
		r.Header.Set("Authorization", "Bearer "+secret)
		return r
	}
	unknown := "smk_00000000_" + strings.Repeat("A", 43)
	for range failuresPerMinute {
		a.want(show("10.0.0.1:1", unknown), http.StatusUnauthorized, "unauthorized")
	}
	_, header, _ := a.do(show("10.0.0.1:2", unknown))
	if header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	a.want(show("10.0.0.1:2", "rubbish"), http.StatusTooManyRequests, "too-many-failed-logins")
	a.want(show("10.0.0.2:1", unknown), http.StatusUnauthorized, "unauthorized")
	for i := range failuresPerMinute { // one network of IPv6 is one address
		a.want(show("[2001:db8::"+string(rune('1'+i))+"]:1", unknown), http.StatusUnauthorized, "unauthorized")
	}
	a.want(show("[2001:db8::9]:1", unknown), http.StatusTooManyRequests, "too-many-failed-logins")

	// Who makes tokens up does not lock out others who share the address.
	a.want(show("10.0.0.1:3", a.tokens[token.Admin]), http.StatusOK, "")
	// Who tries to guess the rest of a token is not told even when it is right.
	wrong := a.tokens[token.Admin][:len(a.tokens[token.Admin])-1] + "!"
	for range failuresPerMinute {
		a.want(show("10.0.0.1:1", wrong), http.StatusUnauthorized, "unauthorized")
	}
	a.want(show("10.0.0.1:1", a.tokens[token.Admin]), http.StatusTooManyRequests, "too-many-failed-logins")
	if a.denied[failedLogin] != 3*failuresPerMinute+1 || a.denied["too-many-failed-logins"] != 4 {
		t.Errorf("counted: %v", a.denied)
	}
}

// TestNoTokenIsNoGuess makes calls without a token, as a page of a stranger can
// have a browser do: that must not lock anybody out.
func TestNoTokenIsNoGuess(t *testing.T) {
	a := newTestAPI(t, nil)
	for range 3 * failuresPerMinute {
		a.want(a.request("GET", "/api/v1/audit", "", ""), http.StatusUnauthorized, "unauthorized")
	}
	a.want(a.request("GET", "/api/v1/audit", token.Admin, ""), http.StatusOK, "")
}

// TestGuessesAtOnce shows many wrong tokens at the same time.
func TestGuessesAtOnce(t *testing.T) {
	a := newTestAPI(t, nil)
	var tried atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			r := a.request("GET", "/api/v1/audit", "", "")
			r.Header.Set("Authorization", "Bearer wrong")
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if w.Code == http.StatusUnauthorized {
				tried.Add(1)
			}
		})
	}
	wg.Wait()
	if n := tried.Load(); n != failuresPerMinute {
		t.Errorf("%d guesses were looked at, want %d", n, failuresPerMinute)
	}
}

func TestDenialsAreAudited(t *testing.T) {
	a := newTestAPI(t, nil)
	for range 2 * endingsPerMinute {
		a.want(a.request("POST", "/api/v1/processes/100/terminate", token.Viewer, goodBody), http.StatusForbidden, "role")
	}
	events := a.events.Recent(100)
	if len(events) != endingsPerMinute {
		t.Fatalf("%d events, want %d", len(events), endingsPerMinute)
	}
	e := events[0]
	if e.PID != 100 || e.Decision != terminate.Rejected || e.Codes[0] != codeRole || e.Actor.Role != "viewer" || !strings.Contains(e.Actor.Name, "viewer") {
		t.Errorf("event %+v", e)
	}
	a.want(a.request("GET", "/api/v1/audit", token.Viewer, ""), http.StatusForbidden, "role")
	if n := len(a.events.Recent(100)); n != endingsPerMinute {
		t.Error("a denied reading is in the audit of terminations")
	}
}

func TestWithoutTokenFile(t *testing.T) {
	a := newTestAPI(t, func(c *Config) { c.Tokens, c.Terminator, c.Automation, c.Logs = nil, nil, nil, nil })
	a.want(a.request("GET", "/api/v1/processes", "", ""), http.StatusOK, "")
	a.want(a.request("GET", "/api/v1/services", "", ""), http.StatusOK, "")
	for _, r := range []*http.Request{
		a.request("POST", "/api/v1/processes/100/terminate", "", goodBody), a.request("GET", "/api/v1/logs", "", ""),
		a.request("GET", "/api/v1/audit", "", ""), a.request("POST", "/api/v1/alerts", "", "{}"),
		a.request("POST", "/api/v1/processes/100/terminate", token.Admin, goodBody),
	} {
		a.want(r, http.StatusNotImplemented, "off")
	}
	if body := a.want(a.request("GET", "/api/v1/processes/100", "", ""), http.StatusOK, ""); !strings.Contains(body, `"code":"off"`) {
		t.Errorf("nothing says that terminations are off: %s", body)
	}
}

func TestAnonymousView(t *testing.T) {
	a := newTestAPI(t, func(c *Config) { c.AnonymousView = true })
	a.want(a.request("GET", "/api/v1/processes", "", ""), http.StatusOK, "")
	a.want(a.request("GET", "/api/v1/logs", "", ""), http.StatusUnauthorized, "unauthorized")
	wrong := a.request("GET", "/api/v1/processes", "", "")
	wrong.Header.Set("Authorization", "Bearer wrong")
	a.want(wrong, http.StatusUnauthorized, "unauthorized")
}

func TestAdmission(t *testing.T) {
	a := newTestAPI(t, nil)
	for _, host := range []string{"evil.example", "127.0.0.1", "127.0.0.1:10042", "127.0.0.1.evil.example:10043", "localhost:10043", ""} {
		r := a.request("GET", "/api/v1/processes", token.Viewer, "")
		r.Host = host
		a.want(r, http.StatusMisdirectedRequest, "host")
	}
	post := func() *http.Request {
		return a.request("POST", "/api/v1/processes/100/terminate", token.Operator, goodBody)
	}
	for _, header := range []struct{ name, value string }{
		{"Origin", "http://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
	} {
		r := post()
		r.Header.Set(header.name, header.value)
		a.want(r, http.StatusForbidden, "cross-origin")
	}
	for _, header := range []struct{ name, value string }{{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		r := a.request("GET", "/api/v1/processes", token.Viewer, "")
		r.Header.Set(header.name, header.value)
		a.want(r, http.StatusForbidden, "cross-origin")
	}
	typed := a.request("GET", "/api/v1/processes", token.Viewer, "")
	typed.Header.Set("Sec-Fetch-Site", "none")
	a.want(typed, http.StatusOK, "")
	same := post()
	same.Header.Set("Origin", "http://"+testHost)
	a.want(same, http.StatusOK, "")
	for _, query := range []string{"token=x", "access_token=x", "Authorization=x", "q=" + a.tokens[token.Viewer], a.tokens[token.Viewer] + "=q"} {
		a.want(a.request("GET", "/api/v1/processes?"+query, token.Viewer, ""), http.StatusBadRequest, "token-in-query")
	}
	if n := len(a.terminator.requests()); n != 1 {
		t.Errorf("%d terminations were asked for, want that of the same origin alone", n)
	}
	_, header, _ := a.do(a.request("GET", "/api/v1/processes", token.Viewer, ""))
	if header.Get("Access-Control-Allow-Origin") != "" || header.Get("Cache-Control") != "no-store" || header.Get("Set-Cookie") != "" {
		t.Errorf("headers %v", header)
	}
	a.want(a.request("GET", "/api/v1/nonsense", token.Admin, ""), http.StatusNotFound, "no-such-call")
	a.want(a.request("GET", "/api/v1/terminations/"+a.tokens[token.Viewer], token.Admin, ""), http.StatusBadRequest, "token-in-query")
	// What cannot be decoded would be dropped, and the list show everything.
	for _, query := range []string{"verdict=%zz", "verdict=danger;name=x"} {
		a.want(a.request("GET", "/api/v1/processes?"+query, token.Viewer, ""), http.StatusBadRequest, "bad-request")
	}
}

func TestMethods(t *testing.T) {
	a := newTestAPI(t, nil)
	for path, allow := range map[string]string{
		"/api/v1/processes": "GET", "/api/v1/processes/100/terminate": "POST", "/api/v1/alerts": "POST", "/api/v1/stream": "GET",
	} {
		for _, method := range []string{"DELETE", "PUT", "PATCH", "TRACE", "OPTIONS", "POST", "GET"} {
			if method == allow {
				continue
			}
			r := a.request(method, path, token.Admin, "")
			if _, header, _ := a.do(r); header.Get("Allow") != allow {
				t.Errorf("%s %s: Allow is %q", method, path, header.Get("Allow"))
			}
			a.want(r, http.StatusMethodNotAllowed, "method")
		}
	}
}
