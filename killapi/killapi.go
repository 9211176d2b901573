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
	// TurnedAway is told of each request to end a process that is turned away
	// before the process is looked at, by [TurnAwayCodes] and the kind of actor.
	TurnedAway func(code, actor string)
}

// API serves the calls below /api/v1/.
type API struct {
	config   Config
	mux      *http.ServeMux
	origin   *http.CrossOriginProtection
	logins   sync.Mutex
	failures *attempts // logins that failed, by address and token
	endings  *attempts // terminations, by token
	answers  answers

	turnedAway   *turnAways // by token
	failedLogins *turnAways // by address

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
	// loginsPerMinute bounds how many addresses have lines in the audit for
	// logins that failed: an attacker may have any number of them.
	loginsPerMinute = 30
)

// New makes the API. It is to be closed in the end.
func New(config Config) *API {
	a := &API{
		config:   config,
		mux:      http.NewServeMux(),
		origin:   http.NewCrossOriginProtection(),
		failures: newAttempts(failuresPerMinute, time.Minute),
		endings:  newAttempts(endingsPerMinute, time.Minute),
		pace:     usualPace,
		boards:   make(map[language.Language]*board),
	}
	a.turnedAway = newTurnAways(endingsPerMinute, maxRemembered, time.Minute, a.record)
	a.failedLogins = newTurnAways(1, loginsPerMinute, time.Minute, a.record)
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
	a.mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		a.answerProblem(w, problemNoCall)
	})
	return a
}

// Close ends the streams, and audits what is only counted so far. Whoever serves
// the API waits for its requests.
func (a *API) Close() {
	a.end()
	a.turnedAway.close()
	a.failedLogins.close()
}

// call is one call of the API.
type call struct {
	method, path string
	// role is who may make it; empty for everybody.
	role token.Role
	// open tells a call that needs no token where viewing is anonymous.
	open bool
	// parameters are those that the query of the address may have.
	parameters []string
	// changes tells a call that changes something: who may not make it and tries
	// is audited.
	changes bool
	// does answers the call, or returns the problem that keeps it from it.
	does func(w http.ResponseWriter, r *http.Request, who token.Record) error
}

const policyPattern = "/api/v1/policies/{platform}/{name}"

// calls lists what the API offers.
func (a *API) calls() []call {
	return []call{
		{
			method: http.MethodGet, path: "/api/v1/processes", role: token.Viewer, open: true, does: a.listProcesses,
			parameters: []string{"verdict", "name", "user", "q", "port", "sort", "offset", "limit", parameterLanguage},
		},
		{
			method: http.MethodGet, path: "/api/v1/processes/{pid}", role: token.Viewer, open: true, does: a.showProcess,
			parameters: []string{parameterLanguage},
		},
		{method: http.MethodGet, path: "/api/v1/processes/{pid}/termination", role: token.Viewer, open: true, does: a.inspectTermination},
		{method: http.MethodPost, path: "/api/v1/processes/{pid}/terminate", role: token.Operator, changes: true, does: a.terminate},
		{method: http.MethodGet, path: "/api/v1/terminations/{id}", role: token.Viewer, does: a.showTermination},
		{
			method: http.MethodGet, path: "/api/v1/services", role: token.Viewer, open: true, does: a.listServices,
			parameters: []string{parameterLanguage},
		},
		{method: http.MethodGet, path: "/api/v1/resources", role: token.Viewer, open: true, does: a.showResources},
		{
			method: http.MethodGet, path: "/api/v1/stream", role: token.Viewer, open: true, does: a.streamConsole,
			parameters: []string{"interval", parameterLanguage},
		},
		{
			method: http.MethodGet, path: "/api/v1/logs", role: token.Viewer, does: a.listLogs,
			parameters: []string{"source", "lines", parameterLanguage},
		},
		{
			method: http.MethodGet, path: "/api/v1/logs/stream", role: token.Viewer, does: a.streamLog,
			parameters: []string{"source", parameterLanguage},
		},
		{
			method: http.MethodGet, path: "/api/v1/policies", role: token.Viewer, does: a.listPolicies,
			parameters: []string{"platform", "source", "q", "sort", "offset", "limit"},
		},
		{method: http.MethodGet, path: policyPattern, role: token.Viewer, does: a.showPolicy},
		{method: http.MethodPut, path: policyPattern, role: token.Admin, changes: true, does: a.putPolicy},
		{method: http.MethodDelete, path: policyPattern, role: token.Admin, changes: true, does: a.deletePolicy},
		{method: http.MethodPost, path: "/api/v1/alerts", role: token.Automation, does: a.receiveAlerts},
		{method: http.MethodGet, path: "/api/v1/audit", role: token.Admin, does: a.listEvents, parameters: []string{"limit"}},
		{method: http.MethodGet, path: "/api/v1/openapi.json", does: a.showDescription},
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
		if err = onlyParameters(r, c.parameters); err == nil {
			err = c.does(w, r, who)
		}
		if err != nil {
			a.answerProblem(w, err)
		}
	})
}
