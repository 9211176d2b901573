package killapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"server-monitor/internal/inventory"
	"server-monitor/internal/process"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// terminationRequest is the body of POST /processes/{pid}/terminate.
type terminationRequest struct {
	// Identity is what a list handed out; Name, the trusted name, may stand in
	// for it.
	Identity string `json:"identity"`
	Name     string `json:"name"`
	DryRun   bool   `json:"dry_run"`
	// Reason is kept in the audit.
	Reason string `json:"reason"`
}

const maxReason = 500

var problemNoIdentity = newProblem(http.StatusPreconditionRequired, string(terminate.CodeIdentityMissing),
	"The body must hold the identity that a list handed out, or the trusted name of the process.")

// check refuses what no request may be.
func (t *terminationRequest) check() error {
	switch {
	case t.Identity == "" && t.Name == "":
		return problemNoIdentity
	case t.Identity != "" && t.Name != "":
		return problemBody.with("The body must hold identity or name, not both.")
	case len(t.Reason) > maxReason || !utf8.ValidString(t.Reason):
		return problemBody.with(fmt.Sprintf("The reason must not be longer than %d bytes.", maxReason))
	}
	return nil
}

// inspectTermination answers GET /processes/{pid}/termination: every guard and
// policy, on the live process.
func (a *API) inspectTermination(w http.ResponseWriter, r *http.Request, who token.Record) error {
	pid, err := pathPID(r)
	if err != nil {
		return err
	}
	if a.config.Terminator == nil {
		return problemOff
	}
	request := terminate.Request{PID: pid, Actor: actor(r, who)}
	if err := a.measure(r.Context(), &request); err != nil {
		return err
	}
	result := a.config.Terminator.Inspect(r.Context(), request)
	if isGone(&result) {
		return problemNotFound
	}
	reasons := result.Reasons
	if reasons == nil {
		reasons = []terminate.Reason{}
	}
	return answer(w, http.StatusOK, struct {
		permission
		Process terminate.Subject `json:"process"`
		Policy  terminate.Ruling  `json:"policy"`
		Weaker  bool              `json:"weaker"`
	}{permission{len(reasons) == 0, reasons}, result.Subject, result.Policy, result.Weaker})
}

// isGone tells a result that says no more than that there is no process.
func isGone(result *terminate.Result) bool {
	if result.Outcome == terminate.AlreadyExited {
		return true
	}
	return len(result.Reasons) == 1 && result.Reasons[0].Kind == terminate.Missing
}

// terminate answers POST /processes/{pid}/terminate, when it is over.
func (a *API) terminate(w http.ResponseWriter, r *http.Request, who token.Record) error {
	pid, err := pathPID(r)
	if err != nil {
		return err
	}
	if a.config.Terminator == nil {
		return problemOff
	}
	text, err := readBody(w, r)
	if err != nil {
		return err
	}
	var body terminationRequest
	if err := decodeExact(text, &body); err != nil {
		return err
	}
	if err := body.check(); err != nil {
		return err
	}
	return a.once(w, r, who, text, func() (terminate.Result, error) {
		if wait := a.endings.take(who.ID); wait > 0 {
			a.auditDenial(r, who, codeTooManyEndings)
			a.turnAway(codeTooManyEndings, actor(r, who))
			p := *problemEndings
			p.retryAfter = wait
			return terminate.Result{}, &p
		}
		request := terminate.Request{
			PID: pid, Identity: body.Identity, Name: body.Name, DryRun: body.DryRun, Reason: body.Reason, Actor: actor(r, who),
			Measure: a.measure,
		}
		if err := a.measure(r.Context(), &request); err != nil {
			a.auditDenial(r, who, terminate.CodeFailed)
			a.turnAway(terminate.CodeFailed, actor(r, who))
			return terminate.Result{}, err
		}
		return a.config.Terminator.Terminate(r.Context(), request), nil
	})
}

// actor is who makes a call, for the audit.
func actor(r *http.Request, who token.Record) terminate.Actor {
	name := who.Name
	if who.ID != "" {
		name += " (" + who.ID + ")"
	}
	return terminate.Actor{Name: name, Role: string(who.Role), From: remoteAddr(r), Automation: who.Role == token.Automation}
}

// measureLimit is how long a termination waits for an inventory.
const measureLimit = 5 * time.Second

var problemUnmeasured = newProblem(http.StatusServiceUnavailable, string(terminate.CodeFailed),
	"The processes could not be examined, and a rule of policy may ask for what they show.")

// measure adds what rules of policy and the audit ask for: the warnings, the
// memory and the verdict of the process. Without them a rule that protects would
// not hold, so that nothing is ended.
func (a *API) measure(ctx context.Context, request *terminate.Request) error {
	ctx, cancel := context.WithTimeout(ctx, measureLimit)
	defer cancel()
	for range 2 { // the first may have been begun before the process
		taken, err := a.config.Inventories.Take(ctx)
		if err != nil {
			a.config.Logger.Error("no inventory for a termination", "err", err)
			return problemUnmeasured
		}
		if measure(taken, request) != nil {
			break
		}
	}
	return nil
}

// measure does so by an inventory, and returns the process, nil where it is not
// there: it has ended, or another has its pid.
func measure(taken *inventory.Inventory, request *terminate.Request) *process.Process {
	index, ok := taken.Index(request.PID)
	if !ok {
		return nil
	}
	p := &taken.Processes[index]
	if request.Identity != "" && p.Identity.String() != request.Identity {
		return nil
	}
	assessment := taken.Assessments[index]
	request.Warnings, request.Verdict = assessment.Names(), assessment.Verdict.String()
	if taken.MemoryTotal > 0 {
		request.MemoryRatio = float64(p.ResidentBytes) / float64(taken.MemoryTotal)
	}
	return p
}

// answerResult answers with what became of a request.
func answerResult(w http.ResponseWriter, result *terminate.Result) error {
	switch result.Outcome {
	case terminate.Refused:
		return refusal(result)
	case terminate.KillPending:
		return answer(w, http.StatusAccepted, result)
	}
	return answer(w, http.StatusOK, result)
}

// refusal puts a refused request into a problem: its status and code are those
// of the first reason.
func refusal(result *terminate.Result) *problem {
	first := result.Reasons[0]
	p := newProblem(statusOf(first), string(first.Code), first.Text.English)
	var sentences []string
	for _, reason := range result.Reasons {
		sentences = append(sentences, reason.Text.English)
	}
	p.Detail = strings.Join(sentences, " ")
	p.Termination = result
	return p
}

// statusOf is the HTTP status of a reason.
func statusOf(r terminate.Reason) int {
	switch {
	case r.Code == terminate.CodeIdentityMissing:
		return http.StatusPreconditionRequired
	case r.Code == terminate.CodeIdentityMalformed:
		return http.StatusBadRequest
	case r.Code == terminate.GuardZombie:
		return http.StatusConflict
	}
	switch r.Kind {
	case terminate.Missing:
		return http.StatusNotFound
	case terminate.Conflict:
		return http.StatusConflict
	case terminate.Unavailable:
		return http.StatusServiceUnavailable
	case terminate.Unsupported:
		return http.StatusNotImplemented
	}
	return http.StatusForbidden
}

// showTermination answers GET /terminations/{id}.
func (a *API) showTermination(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	if a.config.Terminator == nil {
		return problemOff
	}
	result, ok := a.config.Terminator.Find(r.PathValue("id"))
	if !ok {
		return problemNoRequest
	}
	return answer(w, http.StatusOK, result)
}

// listEvents answers GET /audit.
func (a *API) listEvents(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	if a.config.Events == nil {
		return problemOff
	}
	limit := defaultLimit
	if values := r.URL.Query(); values.Has("limit") {
		var err error
		if limit, err = parsePosition("limit", values.Get("limit"), maxLimit); err != nil {
			return problemBody.with(err.Error())
		}
	}
	events, err := a.config.Events.Recent(limit)
	if err != nil {
		return fmt.Errorf("read audit: %w", err)
	}
	if events == nil {
		events = []terminate.Event{}
	}
	return answer(w, http.StatusOK, map[string]any{"events": events})
}
