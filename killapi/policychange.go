package killapi

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// putPolicy answers PUT /policies/{platform}/{name}: it makes a document, or
// changes the one that is there; 202 says that this does not hold on this server
// yet. Where there is one, the request must say in
// If-Match which it has seen. An embedded document is not changed but covered by
// one of the database.
func (a *API) putPolicy(w http.ResponseWriter, r *http.Request, who token.Record) error {
	platform, name, asked, err := a.policyTarget(r)
	if err != nil {
		return err
	}
	text, err := readBody(w, r)
	if err != nil {
		return err
	}
	document, advice, err := readDocument(text, platform, name)
	if err != nil {
		return err
	}
	now, over, err := a.policyBefore(r.Context(), platform, name)
	if err != nil {
		return err
	}
	switch {
	case asked.noneMatch.any && over != "", !asked.noneMatch.any && asked.noneMatch.holds(now):
		return problemCondition
	case asked.match.given && !asked.match.holds(now):
		return problemCondition
	case over != "" && !asked.match.given:
		return problemNoCondition
	}
	did, status := terminate.PolicyChanged, http.StatusOK
	if over == "" {
		did, status = terminate.PolicyCreated, http.StatusCreated
	}
	var held *HeldPolicy
	err = a.changePolicy(r, who, document, did, func(ctx context.Context) (err error) {
		held, err = a.config.Policies.Put(ctx, document, over)
		return err
	})
	if err != nil {
		return err
	}
	row := rowOf(held, embedded(platform, name) != nil)
	if row.Problems == nil {
		row.Problems = advice
	}
	if row.Pending {
		status = http.StatusAccepted
	}
	w.Header().Set("ETag", entityTag(row.revision))
	return answer(w, status, row)
}

// deletePolicy answers DELETE /policies/{platform}/{name}.
func (a *API) deletePolicy(w http.ResponseWriter, r *http.Request, who token.Record) error {
	platform, name, asked, err := a.policyTarget(r)
	if err != nil {
		return err
	}
	now, over, err := a.policyBefore(r.Context(), platform, name)
	switch {
	case err != nil:
		return err
	case now == "":
		return problemNoPolicy
	case over == "":
		return problemEmbedded
	case !asked.match.given:
		return problemNoCondition
	case !asked.match.holds(now), asked.noneMatch.holds(now):
		return problemCondition
	}
	document := &policy.Document{Platform: platform, Name: name}
	pending := false
	err = a.changePolicy(r, who, document, terminate.PolicyDeleted, func(ctx context.Context) (err error) {
		pending, err = a.config.Policies.Delete(ctx, platform, name, over)
		return err
	})
	if err != nil {
		return err
	}
	if pending {
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// policyTarget is what a change is about, and what it asks of it.
func (a *API) policyTarget(r *http.Request) (platform policy.Platform, name string, asked conditions, err error) {
	if a.config.Policies == nil {
		return "", "", asked, problemNoPolicyStore
	}
	if asked, err = conditionsOf(r.Header); err != nil {
		return "", "", asked, err
	}
	platform, name, err = policyPath(r)
	return platform, name, asked, err
}

// policyBefore gives the revision of the document that is there, empty where there
// is none, and the revision in the database that a change goes over, empty where
// that has none.
func (a *API) policyBefore(ctx context.Context, platform policy.Platform, name string) (now, over string, err error) {
	row, err := a.policyNow(ctx, platform, name)
	switch {
	case errors.Is(err, problemNoPolicy):
		return "", "", nil
	case err != nil:
		return "", "", err
	case row.Source == policy.Embedded:
		return row.revision, "", nil
	}
	return row.revision, row.revision, nil
}

// readDocument reads the document in a body, which may leave out what the path
// says, and gives the advice on it.
func readDocument(text []byte, platform policy.Platform, name string) (*policy.Document, []policy.Problem, error) {
	var d policy.Document
	if err := decodeExact(text, &d); err != nil {
		return nil, nil, err
	}
	if d.Platform != "" && d.Platform != platform || d.Name != "" && d.Name != name {
		return nil, nil, problemBody.with("The body has another name or platform than the address.")
	}
	d.Platform, d.Name = platform, name
	d.CreatedAt, d.UpdatedAt = time.Time{}, time.Time{} // are up to the database
	problems := policy.Validate(&d)
	if policy.Grave(problems) {
		var sentences []string
		for _, p := range problems {
			if p.Grave {
				sentences = append(sentences, p.Field+" "+p.Text+".")
			}
		}
		return nil, nil, problemMalformedPolicy.with(strings.Join(sentences, " "))
	}
	return &d, problems, nil
}

var problemUnaudited = newProblem(http.StatusServiceUnavailable, string(terminate.CodeAuditUnavailable),
	"The audit could not be written, and policy is not changed unaudited.")

// changePolicy makes a change, which is audited before and after: nothing is
// changed unaudited. A client that goes away does not leave it half done.
func (a *API) changePolicy(r *http.Request, who token.Record, d *policy.Document, did terminate.Outcome, change func(context.Context) error) error {
	ctx := context.WithoutCancel(r.Context())
	event := terminate.Event{
		Time: time.Now(), ID: rand.Text(), Stage: terminate.StageDecision, Decision: terminate.Accepted, Actor: actor(r, who),
		Document: process.Printable(string(d.Platform) + "/" + d.Name), Change: policyChange(d, did),
	}
	if a.config.Audit == nil {
		return problemUnaudited
	}
	if err := a.config.Audit.Record(ctx, &event); err != nil {
		a.config.Logger.Error("a change of policy could not be audited", "document", event.Document, "err", err)
		return problemUnaudited
	}
	err := change(ctx)
	outcome := event
	outcome.Time, outcome.Stage, outcome.Decision, outcome.Outcome = time.Now(), terminate.StageOutcome, "", did
	if err != nil {
		err = a.policyProblem(err)
		outcome.Outcome = terminate.PolicyFailed
		outcome.Codes = []terminate.Code{terminate.Code(err.Error())}
	}
	if err := a.config.Audit.Record(ctx, &outcome); err != nil {
		a.config.Logger.Error("the outcome of a change of policy could not be audited", "document", event.Document, "outcome", outcome.Outcome, "err", err)
	}
	return err
}

// policyChange says what a change does to what may be ended.
func policyChange(d *policy.Document, did terminate.Outcome) string {
	switch {
	case did == terminate.PolicyDeleted:
		return "delete"
	case d.Denies():
		return "put: protects"
	case d.AutoTerminate:
		return "put: lets automation end it"
	}
	return "put: lets an operator end it"
}
