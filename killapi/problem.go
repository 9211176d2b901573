package killapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"server-monitor/internal/terminate"
)

// problem is an answer that is no success (RFC 9457). It is an error, so that
// whatever finds it can just return it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Code is stable and the same in every language.
	Code string `json:"code"`
	// Termination is the result that the problem is about.
	Termination *terminate.Result `json:"termination,omitempty"`

	retryAfter int // seconds
}

// Error implements error.
func (p *problem) Error() string { return p.Code }

// newProblem makes a problem that is always the same.
func newProblem(status int, code, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// with gives a copy of a problem with another detail.
func (p *problem) with(detail string) *problem {
	c := *p
	c.Detail = detail
	return &c
}

// The problems that do not depend on a process.
var (
	problemNoCall      = newProblem(http.StatusNotFound, "no-such-call", "There is no such call; /api/v1/openapi.json lists them.")
	problemMethod      = newProblem(http.StatusMethodNotAllowed, "method", "The call has another method; the header Allow says which.")
	problemHost        = newProblem(http.StatusMisdirectedRequest, "host", "The listener is not known by this name; --operator.host adds one.")
	problemOrigin      = newProblem(http.StatusForbidden, "cross-origin", "The request comes from a page of another origin.")
	problemQueryToken  = newProblem(http.StatusBadRequest, "token-in-query", "A token belongs into the header Authorization, never into an address.")
	problemNoToken     = newProblem(http.StatusUnauthorized, "unauthorized", "The call needs a bearer token.")
	problemLogin       = newProblem(http.StatusUnauthorized, "unauthorized", "The bearer token does not hold.")
	problemOff         = newProblem(http.StatusNotImplemented, "off", "The call is off until a token file is configured (--operator.token-file).")
	problemRole        = newProblem(http.StatusForbidden, "role", "The role of the token does not include the call.")
	problemLogins      = newProblem(http.StatusTooManyRequests, "too-many-failed-logins", "Too many failed logins from this address.")
	problemEndings     = newProblem(http.StatusTooManyRequests, "too-many-terminations", "Too many terminations with this token.")
	problemContentType = newProblem(http.StatusUnsupportedMediaType, "content-type", "The body must be application/json.")
	problemTooLarge    = newProblem(http.StatusRequestEntityTooLarge, "too-large", "The body is longer than 64 KiB.")
	problemBody        = newProblem(http.StatusBadRequest, "bad-request", "")
	problemNotFound    = newProblem(http.StatusNotFound, string(terminate.CodeNotFound), "There is no such process, or it is not assessed.")
	problemNoRequest   = newProblem(http.StatusNotFound, "no-such-termination", "There is no such termination, or it is too long ago.")
	problemNotOffered  = newProblem(http.StatusNotImplemented, "not-offered", "This server does not offer the call.")
	problemKeyReused   = newProblem(http.StatusUnprocessableEntity, "idempotency-key-reused", "The Idempotency-Key was used with another request.")
	problemInternal    = newProblem(http.StatusInternalServerError, "internal", "The call failed; the log of server-monitor says why.")
)

// answerProblem answers with a problem. What is none is logged, not shown.
func (a *API) answerProblem(w http.ResponseWriter, err error) {
	var p *problem
	if !errors.As(err, &p) {
		a.config.Logger.Error("call failed", "err", err)
		p = problemInternal
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="server-monitor"`)
	}
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may have gone
}

// answer answers with JSON.
func answer(w http.ResponseWriter, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may have gone
	return nil
}
