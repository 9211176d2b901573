package killapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"server-monitor/internal/process"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// Automation says what a webhook of Alertmanager may do.
type Automation struct {
	// Enforce lets it end processes; otherwise every request is a dry run.
	Enforce bool
}

// The limits of the design.
const (
	automaticLimit = 3
	automaticSpan  = 10 * time.Minute
	automaticPause = 15 * time.Second
	// automaticPerName keeps one alert rule from ending every process of a name
	// that is started again and again.
	automaticPerName = 1
	nameSpan         = time.Minute
	maxAlertMemory   = 10_000
	// maxAlerts is how many alerts one webhook may hold.
	maxAlerts   = 100
	alertMemory = 24 * time.Hour
)

// webhook is the body that Alertmanager sends
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
type webhook struct {
	Version string  `json:"version"`
	Alerts  []alert `json:"alerts"`
}

type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	StartsAt    time.Time         `json:"startsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// verdict is what became of one alert.
type verdict struct {
	Fingerprint string `json:"fingerprint"`
	Alert       string `json:"alert"`
	PID         int    `json:"pid,omitempty"`
	Identity    string `json:"identity,omitempty"`
	// Result is ignored, refused, retry, or an outcome of a termination.
	Result string `json:"result"`
	// Code says why, where nothing was ended.
	Code string `json:"code,omitempty"`
	// Termination names the request, for GET /terminations/{id}.
	Termination string `json:"termination,omitempty"`
	DryRun      bool   `json:"dry_run,omitempty"`
}

// The results of alerts that do not reach a termination.
const (
	alertIgnored = "ignored"
	alertRefused = "refused"
	alertRetry   = "retry" // a passing fault: Alertmanager is to send it again
)

// The codes of automation.
const (
	codeResolved      terminate.Code = "resolved"
	codeRepeated      terminate.Code = "repeated"
	codeOtherBoot     terminate.Code = "other-server"
	codeConditionGone terminate.Code = "condition-gone"
	codeLimited       terminate.Code = codeTooManyEndings
)

// automation acts on alerts, one after the other.
type automation struct {
	Automation
	api *API

	mu   sync.Mutex
	seen map[alertKey]remembered
	// told holds why an alert that will be sent again was turned away last, so
	// that each is audited once.
	told    map[alertKey]terminate.Code
	all     *attempts
	byName  *attempts
	lastEnd time.Time
}

// alertKey is one firing of an alert on one process.
type alertKey struct {
	fingerprint string
	startsAt    time.Time
	identity    string
}

type remembered struct {
	when    time.Time
	verdict verdict
}

func newAutomation(a *API, config Automation) *automation {
	return &automation{
		Automation: config, api: a, seen: make(map[alertKey]remembered), told: make(map[alertKey]terminate.Code),
		all: newAttempts(automaticLimit, automaticSpan), byName: newAttempts(automaticPerName, nameSpan),
	}
}

// receiveAlerts answers POST /alerts: with 200 and a result for each alert, with
// 503 where one of them has to be sent again.
func (a *API) receiveAlerts(w http.ResponseWriter, r *http.Request, who token.Record) error {
	if a.automation == nil || a.config.Terminator == nil {
		return problemOff
	}
	text, err := readBody(w, r)
	if err != nil {
		return err
	}
	var hook webhook
	if err := decode(text, &hook, true); err != nil {
		return problemBody.with("The body is not a webhook of Alertmanager: " + err.Error() + ".")
	}
	if hook.Version != "4" {
		return problemBody.with("Only version 4 of the webhook of Alertmanager is known.")
	}
	if len(hook.Alerts) > maxAlerts {
		a.turnAway(terminate.Code(problemTooLarge.Code), terminate.Actor{Automation: true})
		return problemTooManyAlerts
	}
	results := make([]verdict, 0, len(hook.Alerts))
	status := http.StatusOK
	for _, one := range hook.Alerts {
		result := a.automation.act(r, &one, who)
		if result.Result == alertRetry {
			status = http.StatusServiceUnavailable
			w.Header().Set("Retry-After", strconv.Itoa(int(automaticPause.Seconds())))
		}
		results = append(results, result)
	}
	return answer(w, status, map[string]any{"results": results})
}

var problemTooManyAlerts = problemTooLarge.with(fmt.Sprintf(
	"The webhook holds more than %d alerts; max_alerts of the receiver of Alertmanager keeps it below.", maxAlerts))

// act decides on one alert. Repeats change nothing, and are not audited again.
func (m *automation) act(r *http.Request, one *alert, who token.Record) verdict {
	m.mu.Lock()
	defer m.mu.Unlock()
	result := verdict{
		Fingerprint: process.Printable(one.Fingerprint), Alert: process.Printable(one.Labels["alertname"]),
		Identity: process.Printable(one.Labels["identity"]),
	}
	if one.Status != "firing" {
		result.Result, result.Code = alertIgnored, string(codeResolved)
		return result
	}
	key := alertKey{one.Fingerprint, one.StartsAt.UTC(), one.Labels["identity"]}
	if known, ok := m.seen[key]; ok {
		again := known.verdict
		again.Result, again.Code = alertIgnored, string(codeRepeated)
		return again
	}
	result = m.decide(&delivery{r, who, one, key}, result)
	if result.Result != alertRetry {
		m.remember(key, result)
	}
	return result
}

// delivery is an alert on its way, with the request that brought it.
type delivery struct {
	request *http.Request
	who     token.Record
	alert   *alert
	key     alertKey
}

// decide acts on an alert that was not acted on yet.
func (m *automation) decide(d *delivery, result verdict) verdict {
	id, code := m.identity(d.alert)
	result.PID = id.PID
	if code != "" {
		return m.turnAway(d, result, code)
	}
	request := terminate.Request{
		PID: id.PID, Identity: id.String(), DryRun: !m.Enforce, Actor: actor(d.request, d.who), Reason: "alert " + result.Alert,
		Measure: m.api.measure,
	}
	name, code := m.condition(d.request.Context(), d.alert, &request)
	if code != "" {
		return m.turnAway(d, result, code)
	}
	return m.end(d, result, request, name)
}

// identity is the process that an alert is about. A name alone is never enough:
// whoever calls himself java would have the java of others ended.
func (m *automation) identity(one *alert) (process.Identity, terminate.Code) {
	if one.Labels["pid"] == "" || one.Labels["identity"] == "" {
		return process.Identity{}, terminate.CodeIdentityMissing
	}
	id, err := process.ParseIdentity(one.Labels["identity"])
	switch {
	case err != nil:
		return process.Identity{}, terminate.CodeIdentityMalformed
	case strconv.Itoa(id.PID) != one.Labels["pid"]:
		return process.Identity{}, terminate.CodeIdentityMismatch
	}
	if id.Boot != m.api.config.Host().Boot {
		return id, codeOtherBoot
	}
	return id, ""
}

// condition measures again what the alert says, on the process as it is now: the
// verdict and the warning that its labels name, or, where they name neither, that
// it bears a warning at all. It returns the name of the process.
func (m *automation) condition(ctx context.Context, one *alert, request *terminate.Request) (name string, code terminate.Code) {
	ctx, cancel := context.WithTimeout(ctx, measureLimit)
	defer cancel()
	taken, err := m.api.config.Inventories.Take(ctx)
	if err != nil {
		m.api.config.Logger.Error("no inventory for an alert", "err", err)
		return "", terminate.CodeFailed
	}
	p := measure(taken, request)
	if p == nil {
		return "", "" // it has ended; the sequence says so
	}
	verdict, warning := one.Labels["verdict"], one.Labels["warning"]
	bears := func(w string) bool { return warning == "" || bareCode(w) == bareCode(warning) }
	switch {
	case verdict != "" && verdict != request.Verdict,
		warning != "" && !slices.ContainsFunc(request.Warnings, bears),
		verdict == "" && warning == "" && len(request.Warnings) == 0:
		return p.Name, codeConditionGone
	}
	return p.Name, ""
}

// bareCode is a warning without its subject.
func bareCode(warning string) string {
	for i := range len(warning) {
		if warning[i] == '(' {
			return warning[:i]
		}
	}
	return warning
}

// end tries a termination, within the limits. That of the token holds for dry
// runs and refusals too, each of which is a line of the audit.
func (m *automation) end(d *delivery, result verdict, request terminate.Request, name string) verdict {
	if m.Enforce && (time.Since(m.lastEnd) < automaticPause || m.all.full("") > 0 || m.byName.full(name) > 0) ||
		m.api.endings.take(d.who.ID) > 0 {
		return m.turnAway(d, result, codeLimited)
	}
	ended := m.api.config.Terminator.Terminate(d.request.Context(), request)
	result.Termination, result.DryRun = ended.ID, ended.DryRun
	result.Result = string(ended.Outcome)
	if ended.Outcome == terminate.Refused {
		result.Code = string(ended.Reasons[0].Code)
		if slices.ContainsFunc(ended.Reasons, func(r terminate.Reason) bool { return r.Kind == terminate.Unavailable }) && len(ended.Sent) == 0 {
			result.Result = alertRetry
		}
	}
	if len(ended.Sent) > 0 {
		m.lastEnd = time.Now()
		m.all.add("")
		m.byName.add(name)
	}
	return result
}

// turnAway refuses an alert before a termination is tried, and audits that, once
// for each reason although the alert is sent again.
func (m *automation) turnAway(d *delivery, result verdict, code terminate.Code) verdict {
	result.Result, result.Code = alertRefused, string(code)
	if code == codeLimited || code == terminate.CodeFailed {
		result.Result = alertRetry
		if m.told[d.key] == code {
			return result
		}
		if len(m.told) >= maxAlertMemory {
			clear(m.told)
		}
		m.told[d.key] = code
	}
	by := actor(d.request, d.who)
	by.Automation = true
	m.api.turnAway(code, by)
	m.api.turnedAway.audit(d.who.ID, &terminate.Event{
		Time: time.Now(), ID: rand.Text(), Stage: terminate.StageDecision, Decision: terminate.Rejected, Outcome: terminate.Refused,
		Codes: []terminate.Code{code}, DryRun: !m.Enforce, Actor: by, Reason: "alert " + result.Alert,
		PID: result.PID, Identity: result.Identity,
	})
	return result
}

// remember keeps what became of an alert, so that repeats change nothing.
func (m *automation) remember(key alertKey, result verdict) {
	delete(m.told, key)
	now := time.Now()
	if len(m.seen) >= maxAlertMemory {
		for other, r := range m.seen {
			if now.Sub(r.when) >= alertMemory {
				delete(m.seen, other)
			}
		}
	}
	if len(m.seen) >= maxAlertMemory {
		clear(m.seen)
	}
	m.seen[key] = remembered{now, result}
}
