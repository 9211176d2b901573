// Package killapi is the HTTP API of the operator listener: it shows the
// assessed processes and ends one when an operator, or Alertmanager, may do so.
// What may be ended is decided by internal/terminate; this package sees to who
// asks, and that a request is what it seems.
package killapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/logtail"
	"server-monitor/internal/policy"
	"server-monitor/internal/service"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// Inventories gives the processes of the moment; [inventory.Keeper] does.
type Inventories interface {
	Take(ctx context.Context) (*inventory.Inventory, error)
}

// Terminator ends processes; [terminate.Terminator] does.
type Terminator interface {
	Terminate(ctx context.Context, request terminate.Request) terminate.Result
	Inspect(ctx context.Context, request terminate.Request) terminate.Result
	Find(id string) (terminate.Result, bool)
}

// Tokens accepts bearer tokens; [token.Keeper] does.
type Tokens interface {
	Accept(secret string) (token.Record, error)
	// Knows tells whether there is a token with that id.
	Knows(id string) bool
}

// Events gives what was audited, the latest first.
type Events interface {
	Recent(n int) ([]terminate.Event, error)
}

// Config says what the API works with. What is nil is not offered: the calls
// that need it answer 501.
type Config struct {
	Inventories Inventories
	// Tokens is nil where no token file is configured. Processes, services and
	// resources are then shown to everybody who reaches the listener, and
	// nothing else is.
	Tokens Tokens
	// AnonymousView shows them to everybody although there are tokens.
	AnonymousView bool
	Terminator    Terminator
	Host          func() *terminate.Host
	Events        Events
	// Audit keeps the decisions that are made before a termination is tried.
	Audit terminate.Auditor
	// Automation is nil where no alerts are taken.
	Automation *Automation
	Services   service.Manager
	// Policy is what holds now; Policies is the database it comes from, nil
	// without one.
	Policy    policy.Provider
	Policies  Policies
	Resources Resources
	Logs      map[string]logtail.Log
	// Hosts are the names that a request may call the listener by, with port,
	// as in the header Host.
	Hosts    []string
	Language language.Language
	Logger   *slog.Logger
	// Denied is told the code of each request that is turned away before its
	// call is looked at; see [DenialCodes].
	Denied func(code string)
}

// API serves the calls below /api/v1/.
type API struct {
	config   Config
	mux      *http.ServeMux
	origin   *http.CrossOriginProtection
	logins   sync.Mutex
	failures *attempts // logins that failed, by address and token
	endings  *attempts // terminations, by token
	denials  *attempts // audited denials, by token
	answers  answers

	automation *automation // nil where no alerts are taken

	pace      pace
	streams   streams
	tails     tails
	boardLock sync.Mutex
	boards    map[language.Language]*board

	life context.Context // ends with Close
	end  context.CancelFunc
}

// The limits of the design: 5 failed logins a minute and address, 10
// terminations a minute and token.
const (
	failuresPerMinute = 5
	endingsPerMinute  = 10
)

// New makes the API. It is to be closed in the end.
func New(config Config) *API {
	a := &API{
		config:   config,
		mux:      http.NewServeMux(),
		origin:   http.NewCrossOriginProtection(),
		failures: newAttempts(failuresPerMinute, time.Minute),
		endings:  newAttempts(endingsPerMinute, time.Minute),
		denials:  newAttempts(endingsPerMinute, time.Minute),
		pace:     usualPace,
		boards:   make(map[language.Language]*board),
	}
	a.life, a.end = context.WithCancel(context.Background())
	if config.Automation != nil {
		a.automation = newAutomation(a, *config.Automation)
	}
	methods := make(map[string][]string)
	for _, c := range a.calls() {
		a.mux.Handle(c.method+" "+c.path, a.handler(c))
		methods[c.path] = append(methods[c.path], c.method)
	}
	for path, allowed := range methods {
		a.mux.Handle(path, a.otherMethods(allowed))
	}
	a.mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		a.answerProblem(w, problemNoCall)
	})
	return a
}

// Close ends the streams. Whoever serves the API waits for its requests.
func (a *API) Close() { a.end() }

// call is one call of the API.
type call struct {
	method, path string
	// role is who may make it; empty for everybody.
	role token.Role
	// open tells a call that needs no token where viewing is anonymous.
	open bool
	// changes tells a call that changes something: who may not make it and tries
	// is audited.
	changes bool
	// does answers the call, or returns the problem that keeps it from it.
	does func(w http.ResponseWriter, r *http.Request, who token.Record) error
}

const policyPattern = "/api/v1/policies/{platform}/{name}"

// calls lists what the API offers.
func (a *API) calls() []call {
	get := func(path string, role token.Role, open bool, does func(http.ResponseWriter, *http.Request, token.Record) error) call {
		return call{method: http.MethodGet, path: path, role: role, open: open, does: does}
	}
	return []call{
		get("/api/v1/processes", token.Viewer, true, a.listProcesses),
		get("/api/v1/processes/{pid}", token.Viewer, true, a.showProcess),
		get("/api/v1/processes/{pid}/termination", token.Viewer, true, a.inspectTermination),
		{method: http.MethodPost, path: "/api/v1/processes/{pid}/terminate", role: token.Operator, changes: true, does: a.terminate},
		get("/api/v1/terminations/{id}", token.Viewer, false, a.showTermination),
		get("/api/v1/services", token.Viewer, true, a.listServices),
		get("/api/v1/resources", token.Viewer, true, a.showResources),
		get("/api/v1/stream", token.Viewer, true, a.streamConsole),
		get("/api/v1/logs", token.Viewer, false, a.listLogs),
		get("/api/v1/logs/stream", token.Viewer, false, a.streamLog),
		get("/api/v1/policies", token.Viewer, false, a.listPolicies),
		get(policyPattern, token.Viewer, false, a.showPolicy),
		{method: http.MethodPut, path: policyPattern, role: token.Admin, changes: true, does: a.putPolicy},
		{method: http.MethodDelete, path: policyPattern, role: token.Admin, changes: true, does: a.deletePolicy},
		{method: http.MethodPost, path: "/api/v1/alerts", role: token.Automation, does: a.receiveAlerts},
		get("/api/v1/audit", token.Admin, false, a.listEvents),
	}
}

// ServeHTTP answers a request that has passed all gates.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if err := a.admit(r); err != nil {
		a.deny(w, err)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// setHeaders keeps answers out of caches, frames and other origins.
func setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// otherMethods turns away the methods that a path does not have.
func (a *API) otherMethods(allowed []string) http.Handler {
	slices.Sort(allowed)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		a.answerProblem(w, problemMethod)
	})
}

// handler authenticates, authorises, and makes a call.
func (a *API) handler(c call) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := a.authenticate(r, &c)
		if err != nil {
			if c.changes && errors.Is(err, problemRole) {
				a.auditDenial(r, who, codeRole)
			}
			a.deny(w, err)
			return
		}
		if err := c.does(w, r, who); err != nil {
			a.answerProblem(w, err)
		}
	})
}
