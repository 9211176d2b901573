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
const failedLogin = "failed-login"

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

// auditDenial keeps that a change was not even tried, within a limit: nobody
// is to drown the audit in requests that he may not make.
func (a *API) auditDenial(r *http.Request, who token.Record, code terminate.Code) {
	if a.denials.take(who.ID) > 0 {
		return
	}
	pid, _ := pathPID(r) // 0 where the path holds none
	document := ""
	if name := r.PathValue("name"); name != "" {
		document = process.Printable(r.PathValue("platform") + "/" + name)
	}
	a.record(r, &terminate.Event{
		Time: time.Now(), ID: rand.Text(), Stage: terminate.StageDecision, Decision: terminate.Rejected, Outcome: terminate.Refused,
		Codes: []terminate.Code{code}, Actor: actor(r, who), PID: pid, Document: document,
	})
}

// record audits a decision against something.
func (a *API) record(r *http.Request, event *terminate.Event) {
	if a.config.Audit == nil {
		return
	}
	if err := a.config.Audit.Record(context.WithoutCancel(r.Context()), event); err != nil {
		a.config.Logger.Error("a refusal could not be audited", "id", event.ID, "pid", event.PID, "err", err)
	}
}
