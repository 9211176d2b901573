package terminate

import (
	"context"
	"time"

	"server-monitor/internal/process"
)

// Auditor keeps what was decided.
type Auditor interface {
	// Record writes one event. Once it returns nil, the event outlives us.
	Record(ctx context.Context, event *Event) error
}

// Stage is what an event tells of.
type Stage string

// The stages. Every request has one decision. One that was accepted has an
// outcome too, and an escalation before SIGKILL.
const (
	StageDecision   Stage = "decision"
	StageEscalation Stage = "escalation"
	StageOutcome    Stage = "outcome"
)

// Decision is what was decided.
type Decision string

// The decisions.
const (
	Accepted  Decision = "accepted"
	Rejected  Decision = "refused"
	Rehearsed Decision = "dry_run"
	NotNeeded Decision = "already_exited"
)

// The outcomes of a change of policy.
const (
	PolicyCreated Outcome = "policy_created"
	PolicyChanged Outcome = "policy_changed"
	PolicyDeleted Outcome = "policy_deleted"
	PolicyFailed  Outcome = "policy_failed"
)

// Event is one line of the audit. Its fields are stable, and safe to show.
type Event struct {
	Time     time.Time `json:"time"`
	ID       string    `json:"id"`
	Stage    Stage     `json:"stage"`
	Decision Decision  `json:"decision,omitempty"`
	Outcome  Outcome   `json:"outcome,omitempty"`
	Method   Method    `json:"method,omitempty"`
	// Codes are those of the reasons against it, Details what is behind them.
	Codes   []Code   `json:"codes,omitempty"`
	Details []string `json:"details,omitempty"`
	Sent    []string `json:"sent,omitempty"`
	// Graceful is as in [Result].
	Graceful *bool `json:"graceful,omitempty"`
	DryRun   bool  `json:"dry_run,omitempty"`
	// More is set in a line that stands for that many decisions, which are only
	// counted so that nobody can drown the others in them.
	More int `json:"more,omitempty"`

	Actor    Actor  `json:"actor"`
	Reason   string `json:"reason,omitempty"`
	PID      int    `json:"pid"`
	Identity string `json:"identity,omitempty"`
	Name     string `json:"name,omitempty"`
	// TrustedName is empty where the name may be forged.
	TrustedName string `json:"trusted_name,omitempty"`
	User        string `json:"user,omitempty"`
	UIDs        []int  `json:"uids,omitempty"`
	SID         string `json:"sid,omitempty"`
	Exe         string `json:"exe,omitempty"`
	Unit        string `json:"unit,omitempty"`
	Verdict     string `json:"verdict,omitempty"`

	// Document is the document of policy that an event is about, Change what is
	// done to it; both are empty in an event about a process.
	Document string `json:"policy_document,omitempty"`
	Change   string `json:"policy_change,omitempty"`

	PolicyState   string `json:"policy_state,omitempty"`
	PolicySource  string `json:"policy_source,omitempty"`
	PolicyVersion string `json:"policy_version,omitempty"`
	UntrustedName bool   `json:"untrusted_name,omitempty"`
	Weaker        bool   `json:"weaker,omitempty"`

	Children     []Child `json:"children,omitempty"`
	SoftSeconds  float64 `json:"soft_seconds,omitempty"`
	HardSeconds  float64 `json:"hard_seconds,omitempty"`
	TotalSeconds float64 `json:"total_seconds,omitempty"`
}

// event tells of the present state of a request.
func (r *run) event(stage Stage, decision Decision) *Event {
	result, s := &r.result, &r.result.Subject
	e := &Event{
		Time: time.Now(), ID: result.ID, Stage: stage, Decision: decision, Outcome: result.Outcome, Method: result.Method,
		Codes: Codes(result.Reasons), Sent: result.Sent, Graceful: result.Graceful, DryRun: result.DryRun,
		Actor: result.Actor, Reason: process.Printable(r.request.Reason), Verdict: process.Printable(r.request.Verdict),
		PID: s.PID, Identity: s.Identity, Name: s.Name, TrustedName: s.TrustedName, User: s.User, UIDs: s.UIDs, SID: s.SID, Exe: s.Exe, Unit: s.Unit,
		UntrustedName: result.Policy.Untrusted, PolicySource: result.Policy.Source, PolicyVersion: result.Policy.Version, Weaker: result.Weaker,
		Children: result.Children, SoftSeconds: result.SoftSeconds, HardSeconds: result.HardSeconds, TotalSeconds: result.TotalSeconds,
	}
	for _, reason := range result.Reasons {
		if reason.Detail != "" {
			e.Details = append(e.Details, string(reason.Code)+": "+reason.Detail)
		}
	}
	if r.consulted {
		e.PolicyState = string(result.Policy.State)
	}
	return e
}
