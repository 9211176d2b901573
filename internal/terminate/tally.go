package terminate

import "slices"

// The tallies beside outcomes.
const (
	// TallyFailed counts a request of which nothing stood in the way, but what had
	// to be done for it: the system did not let us, or the process went on after
	// SIGTERM and was not to be sent SIGKILL any more. For whoever asked it was
	// refused, with the reasons.
	TallyFailed = "failed"
)

// Tallies are the values of [Result.Tally], and that of a request whose outcome is
// not known.
func Tallies() []string {
	return []string{
		string(Terminated), string(Killed), string(KillPending), string(AlreadyExited), string(WouldTerminate), string(Refused),
		TallyFailed, string(Unknown),
	}
}

// Tally is as what a request is counted: its outcome, where a refusal that is no
// decision against it is told from others.
func (r *Result) Tally() string {
	if r.Outcome == Refused && (len(r.Sent) > 0 || slices.ContainsFunc(r.Reasons, Reason.failure)) {
		return TallyFailed
	}
	return string(r.Outcome)
}

// failure tells a reason that is no decision.
func (r Reason) failure() bool { return r.Code == CodeNotPermitted || r.Code == CodeFailed }
