package killapi

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"server-monitor/internal/process"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// DenialCodes are the codes of requests that are turned away before their call is
// looked at.
var DenialCodes = []string{
	problemHost.Code, problemOrigin.Code, problemQueryToken.Code, problemBody.Code,
	problemNoToken.Code, failedLogin, problemLogins.Code, problemRole.Code, problemOff.Code,
}

// failedLogin stands for a token that does not hold. Who shows it is answered the
// same as one without a token.
const failedLogin = string(terminate.CodeFailedLogin)

// TurnAwayCodes are the codes of requests to end a process that are turned away
// before the process is looked at.
var TurnAwayCodes = []string{
	string(codeTooManyEndings), string(terminate.CodeFailed), string(terminate.CodeIdentityMissing), string(terminate.CodeIdentityMalformed),
	string(terminate.CodeIdentityMismatch), string(codeOtherBoot), string(codeConditionGone), problemTooLarge.Code,
}

// deny answers a request that is turned away, and counts it.
func (a *API) deny(w http.ResponseWriter, err error) {
	var p *problem
	if a.config.Denied != nil && errors.As(err, &p) {
		code := p.Code
		if p == problemLogin {
			code = failedLogin
		}
		a.config.Denied(code)
	}
	a.answerProblem(w, err)
}

// The codes of denials in the audit.
const (
	codeRole           terminate.Code = "role"
	codeTooManyEndings terminate.Code = "too-many-terminations"
)

// auditDenial keeps that a change was not even tried.
func (a *API) auditDenial(r *http.Request, who token.Record, code terminate.Code) {
	pid, _ := pathPID(r) // 0 where the path holds none
	document := ""
	if name := r.PathValue("name"); name != "" {
		document = process.Printable(r.PathValue("platform") + "/" + name)
	}
	a.turnedAway.audit(who.ID, &terminate.Event{
		Time: time.Now(), ID: rand.Text(), Stage: terminate.StageDecision, Decision: terminate.Rejected, Outcome: terminate.Refused,
		Codes: []terminate.Code{code}, Actor: actor(r, who), PID: pid, Document: document,
	})
}

// auditLogin keeps that a token did not hold, once a minute and address.
func (a *API) auditLogin(from, id string, err error) {
	by := terminate.Actor{Name: "unknown", From: from}
	if id != "" {
		by.Name = "token " + id
	}
	a.failedLogins.audit(from, &terminate.Event{
		Time: time.Now(), ID: rand.Text(), Stage: terminate.StageDecision, Decision: terminate.Rejected, Outcome: terminate.Refused,
		Codes: []terminate.Code{terminate.CodeFailedLogin}, Details: []string{process.Printable(err.Error())}, Actor: by,
	})
}

// turnAway counts a request to end a process that was turned away before the
// process was looked at.
func (a *API) turnAway(code terminate.Code, by terminate.Actor) {
	if a.config.TurnedAway != nil {
		a.config.TurnedAway(string(code), by.Kind())
	}
}

// record audits a decision against something.
func (a *API) record(event *terminate.Event) {
	if a.config.Audit == nil {
		return
	}
	if err := a.config.Audit.Record(context.Background(), event); err != nil {
		a.config.Logger.Error("a refusal could not be audited", "id", event.ID, "pid", event.PID, "err", err)
	}
}
