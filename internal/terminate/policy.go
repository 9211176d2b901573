package terminate

import (
	"context"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// PolicyState says how fresh a reading of policy is.
type PolicyState uint8

// The states of policy.
const (
	// PolicyNever: a database is configured and was never reached, so that
	// nothing is known of what it forbids. It is the zero value on purpose.
	PolicyNever PolicyState = iota
	// PolicyCopy: the database is away; this is the last good copy.
	PolicyCopy
	// PolicyCatalogue: no database is configured; this is the catalogue.
	PolicyCatalogue
	// PolicyFresh: read from the database just now.
	PolicyFresh
)

// String is the name of the state in JSON.
func (s PolicyState) String() string {
	return [...]string{"never_reached", "last_copy", "catalogue", "fresh"}[s]
}

// MarshalText writes the name of the state.
func (s PolicyState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// PolicySource reads policy when a process is about to be ended.
type PolicySource interface {
	// Fresh reads policy from where it is kept, and falls back as the states
	// say. It returns soon after ctx ends. The set is nil only in the state
	// PolicyNever.
	Fresh(ctx context.Context) (*policy.Set, PolicyState)
}

// Ruling is what policy says of one process.
type Ruling struct {
	State PolicyState `json:"state"`
	// Denied tells that policy forbids to end it, Invalid that it does so by a
	// document that is malformed.
	Denied  bool `json:"denied,omitempty"`
	Invalid bool `json:"invalid,omitempty"`
	// Untrusted tells that the name that is forbidden may be forged: somebody
	// may be hiding behind it.
	Untrusted bool `json:"untrusted_name,omitempty"`
	// Automatic tells that policy lets automation end it.
	Automatic bool `json:"auto_terminate,omitempty"`
	// Source names the document or rule that forbids, Alias the name of the
	// process that it is about, Reason says why; Version is that of all policy.
	Source       string `json:"source,omitempty"`
	Alias        string `json:"alias,omitempty"`
	Reason       string `json:"reason,omitempty"`
	ReasonKorean string `json:"reason_ko,omitempty"`
	Version      string `json:"version,omitempty"`
	// Degraded tells that the database is away.
	Degraded bool `json:"degraded,omitempty"`
}

// consult asks policy about a process, and tells what stands against ending it.
func (t *Terminator) consult(ctx context.Context, f *Facts, req *Request) (Ruling, []Reason) {
	ctx, cancel := context.WithTimeout(ctx, t.config.PolicyBudget)
	defer cancel()
	set, state := t.config.Policy.Fresh(ctx)
	if set == nil {
		state = PolicyNever
	}
	ruling := Ruling{State: state, Degraded: state == PolicyNever || state == PolicyCopy}
	reasons := t.outage(state, req.Actor.Automation)
	if set == nil {
		return ruling, reasons
	}
	ruling.Version = set.Version()
	subject := policySubject(f, req)
	if d := set.Denial(subject); d != nil {
		ruling.deny(d)
		reasons = append(reasons, denial(&ruling))
	} else if grant := set.AutoTerminate(subject); grant != nil {
		ruling.Automatic = true
	}
	if req.Actor.Automation && len(reasons) == 0 && !ruling.Automatic {
		reasons = append(reasons, reasonNotAutomatic)
	}
	return ruling, reasons
}

// policySubject is what policy looks at in a process.
func policySubject(f *Facts, req *Request) policy.Subject {
	return policy.Subject{
		Name: f.Name, Exe: f.Exe, Trusted: f.File.Trusted, Comm: f.Comm, Argv0: f.Argv0, Script: f.Script,
		User: f.User, Unit: f.Unit, UserUnit: f.UserUnit,
		Warnings: req.Warnings, MemoryRatio: req.MemoryRatio,
	}
}

// deny takes over what forbids.
func (r *Ruling) deny(d *policy.Denial) {
	r.Denied, r.Invalid, r.Untrusted = true, d.Invalid != nil, d.Untrusted
	r.Source, r.Alias = d.By(), d.Alias
	text := d.Reason()
	r.Reason, r.ReasonKorean = text.English, text.Korean
}

// outage is the table of what is refused in which state of policy.
func (t *Terminator) outage(state PolicyState, automation bool) []Reason {
	switch {
	case state == PolicyFresh:
		return nil
	case state == PolicyNever, automation, t.config.PolicyRequired:
		return []Reason{reasonPolicyUnavailable.with(state.String())}
	}
	return nil
}

// denial puts a denial of policy into a reason.
func denial(r *Ruling) Reason {
	reason := reasonPolicyDenied
	if r.Invalid {
		reason = reasonPolicyInvalid
	}
	detail := r.Source
	if r.Untrusted {
		detail += " by the untrusted_name " + r.Alias
	}
	return reason.with(detail)
}

// Terminatable tells whether a process of a snapshot may be ended as far as
// that can be told from it: no guard holds and policy does not forbid it. It
// is for showing.
func Terminatable(p *process.Process, h *Host, set *policy.Set, subject policy.Subject) bool {
	return len(Refusals(p, h)) == 0 && set.Denial(subject) == nil
}
