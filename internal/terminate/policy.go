package terminate

import (
	"context"
	"log/slog"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// Ruling is what policy says of one process.
type Ruling struct {
	// State says how fresh the reading was; empty where policy was not asked.
	State policy.State `json:"state,omitempty"`
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
	subject := policySubject(f, req)
	said := t.config.Policy.Consult(ctx, subject)
	if said.Err != nil {
		t.config.Logger.Warn("Policy could not be read anew", slog.Int("pid", f.PID), slog.String("state", string(said.State)),
			slog.Any("err", said.Err))
	}
	ruling := Ruling{State: said.State, Degraded: said.State == policy.NeverReached || said.State == policy.Degraded}
	reasons := t.outage(said.State, req.Actor.Automation)
	ruling.Version = said.Set.Version()
	if d := said.Set.Denial(subject); d != nil {
		ruling.deny(d)
		reasons = append(reasons, denial(&ruling))
	} else if grant := said.Set.AutoTerminate(subject); grant != nil {
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
		OtherScripts: f.OtherScripts, User: f.User, Unit: f.Unit, UserUnit: f.UserUnit,
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

// outage is the table of what is refused in which state of policy. A state that
// is not in it refuses.
func (t *Terminator) outage(state policy.State, automation bool) []Reason {
	switch {
	case state == policy.Fresh:
		return nil
	case (state == policy.NotConfigured || state == policy.Degraded) && !automation && !t.config.PolicyRequired:
		return nil
	}
	return []Reason{reasonPolicyUnavailable.with(string(state))}
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
