package terminate

import (
	"context"
	"time"

	"server-monitor/internal/process"
)

// Request asks to end one process.
type Request struct {
	// ID names the request; one is made up where it is empty.
	ID string
	// PID is the process; 0 where Identity says it.
	PID int
	// Identity is what a list handed out, as text; Name may stand in for it,
	// and must then be the trusted name.
	Identity, Name string
	// DryRun asks for all checks and no signal.
	DryRun bool
	// Reason is what the operator gave as reason.
	Reason string
	// Actor is who asks.
	Actor Actor
	// Warnings are the codes and MemoryRatio the part of the machine's memory
	// that rules of policy may ask for; Verdict is for the audit.
	Warnings    []string
	MemoryRatio float64
	Verdict     string
	// Measure, if not nil, measures these three anew before SIGKILL: what was so
	// before the grace period need not be so any more.
	Measure func(ctx context.Context, r *Request) error
}

// Actor is who asks for a termination.
type Actor struct {
	// Automation tells a request without an operator, for which policy must
	// allow what for an operator it must only not forbid.
	Automation bool `json:"automation"`
	// Name is that of the token, Role its role, From the address.
	Name string `json:"name"`
	Role string `json:"role"`
	From string `json:"from"`
}

// Kind is the label value: "operator" or "automation".
func (a Actor) Kind() string {
	if a.Automation {
		return "automation"
	}
	return "operator"
}

// Outcome is what became of a request.
type Outcome string

// The outcomes.
const (
	// Terminated: it ended after SIGTERM, or on Windows when its windows were
	// closed.
	Terminated Outcome = "terminated"
	// Killed: it ended after SIGKILL, on Windows by TerminateProcess.
	Killed Outcome = "killed"
	// AlreadyExited: it had ended before it was sent a signal.
	AlreadyExited Outcome = "already_exited"
	// KillPending: SIGKILL was sent, and it has not ended yet, as in an
	// uninterruptible sleep. It cannot run any further code of its own.
	KillPending Outcome = "kill_pending"
	// WouldTerminate: all checks of a dry run passed.
	WouldTerminate Outcome = "would_terminate"
	// Refused: for the reasons given. Where Sent is not empty, it was refused
	// between SIGTERM and SIGKILL.
	Refused Outcome = "refused"
	// Unknown: server-monitor ended before the outcome was known.
	Unknown Outcome = "outcome_unknown"
)

// Method is how a process was ended.
type Method string

// The methods.
const (
	Soft Method = "soft"
	Hard Method = "hard"
)

// Result is what became of a request, and why. All of it is safe to show.
type Result struct {
	ID string `json:"id"`
	// Done is false while the sequence runs, or waits for a process that
	// SIGKILL has not ended yet.
	Done    bool    `json:"done"`
	Outcome Outcome `json:"outcome,omitempty"`
	Method  Method  `json:"method,omitempty"`
	// Sent are the signals that were sent, in order.
	Sent []string `json:"sent,omitempty"`
	// Graceful tells, on Windows, whether the process could be asked to end: a
	// program without a window that we can reach cannot.
	Graceful *bool `json:"graceful,omitempty"`
	// Reasons are why it was refused, all that hold.
	Reasons []Reason `json:"reasons,omitempty"`
	Subject Subject  `json:"process"`
	Policy  Ruling   `json:"policy"`
	// Weaker tells that the host has no systemd, so that the login was told by
	// terminal and audit id alone.
	Weaker bool `json:"weaker,omitempty"`
	// Children are those that were there before and outlived the process.
	Children []Child `json:"children,omitempty"`
	// Unaudited tells that the outcome could not be written to the audit.
	Unaudited bool `json:"unaudited,omitempty"`
	// Late tells [Config.Done] that the process was pending, and has ended now.
	Late    bool      `json:"-"`
	DryRun  bool      `json:"dry_run,omitempty"`
	Actor   Actor     `json:"actor"`
	Started time.Time `json:"started"`
	// SoftSeconds is the time from SIGTERM to the end, or to the check before
	// SIGKILL; HardSeconds that from SIGKILL to the end; TotalSeconds that of
	// the whole sequence.
	SoftSeconds  float64 `json:"soft_seconds,omitempty"`
	HardSeconds  float64 `json:"hard_seconds,omitempty"`
	TotalSeconds float64 `json:"total_seconds,omitempty"`
}

// Subject is the process of a request as it was seen live.
type Subject struct {
	PID         int    `json:"pid"`
	Identity    string `json:"identity,omitempty"`
	Name        string `json:"name,omitempty"`
	TrustedName string `json:"trusted_name,omitempty"`
	User        string `json:"user,omitempty"`
	UIDs        []int  `json:"uids,omitempty"`
	// SID is the security identifier of the user on Windows.
	SID      string `json:"sid,omitempty"`
	Exe      string `json:"exe,omitempty"`
	Unit     string `json:"unit,omitempty"`
	TTY      string `json:"tty,omitempty"`
	LoginUID *int   `json:"loginuid,omitempty"`
	State    string `json:"state,omitempty"`
}

// subjectOf shows a process.
func subjectOf(f *Facts) Subject {
	s := Subject{
		PID: f.PID, Identity: f.Identity.String(), Name: process.Printable(f.Name),
		TrustedName: process.Printable(f.TrustedName()), User: process.Printable(f.User), UIDs: f.UIDs,
		Exe: process.Printable(f.Exe), Unit: process.Printable(f.Place.Unit), TTY: f.TTY, State: f.State.String(),
	}
	if f.LoginUID >= 0 {
		s.LoginUID = &f.LoginUID
	}
	if f.Windows != nil {
		s.SID, s.Unit = f.Windows.SID, process.Printable(f.Unit)
	}
	return s
}
