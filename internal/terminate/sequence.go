package terminate

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"server-monitor/internal/process"
)

// run is one request on its way. A method that returns false has settled the
// result: there is nothing left to do.
type run struct {
	t         *Terminator
	request   Request
	result    Result
	host      *Host
	target    Target
	seen      *Facts // what the last look saw
	consulted bool   // policy was asked
	children  []Child
	inspects  bool // nothing is sent or audited, and no name is needed
	pending   bool // somebody waits on for the end
	abrupt    bool // the process cannot be asked to end
	sentAt    time.Time
}

// do runs the sequence from its first step to its last.
func (r *run) do(ctx context.Context) {
	defer r.letGo()
	if !r.open() || !r.claim() {
		r.decide()
		return
	}
	defer r.dropClaim()
	if !r.approve(ctx) || r.rehearsed() || r.cancelled(ctx) || !r.intend(StageDecision) {
		r.decide()
		return
	}
	// From here on somebody has to see it through, the client or not.
	ctx = context.WithoutCancel(ctx)
	r.end(ctx)
	r.recordOutcome()
}

// end sends what was approved: SIGTERM, and SIGKILL where that does not help.
func (r *run) end(ctx context.Context) {
	r.children = r.target.Children()
	// A stopped process sees SIGTERM only once it goes on.
	if !r.look() {
		return
	}
	if !r.send(Term, Continue) {
		if r.abrupt {
			r.escalate(ctx)
		}
		return
	}
	exited, cut := r.wait(r.t.config.Grace, r.t.config.PolicyBudget+r.t.config.KillWait+stopMargin)
	r.result.SoftSeconds = time.Since(r.sentAt).Seconds()
	switch {
	case exited:
		r.ended(Terminated, Soft)
	case cut:
		r.refuse(reasonStopping)
	default:
		r.escalate(ctx)
	}
	if r.result.Outcome == Refused && r.exited() {
		r.ended(Terminated, Soft) // it obeyed meanwhile
	}
}

// stopMargin is left for everything but waiting when server-monitor stops.
const stopMargin = 300 * time.Millisecond

// escalate checks everything once more, and sends SIGKILL.
func (r *run) escalate(ctx context.Context) {
	if !r.measure(ctx) || !r.approve(ctx) || !r.intend(StageEscalation) {
		return
	}
	r.children = append(r.children, r.target.Children()...)
	if !r.look() || !r.send(Kill) {
		return
	}
	exited, _ := r.wait(r.t.config.KillWait, stopMargin)
	r.result.HardSeconds = time.Since(r.sentAt).Seconds()
	if exited {
		r.ended(Killed, Hard)
		return
	}
	r.result.Outcome, r.result.Method, r.pending = KillPending, Hard, true
}

// open takes hold of the process that the request names.
func (r *run) open() bool {
	want, err := r.wanted()
	if err != nil {
		return r.refuse(*err)
	}
	target, openErr := r.t.config.Targets.Open(want.PID)
	if errors.Is(openErr, process.ErrGone) {
		switch {
		case want.Boot == "":
			return r.refuse(reasonNotFound)
		case want.Boot != r.host.Boot:
			return r.refuse(reasonIdentityMismatch.with("another boot"))
		}
		return r.gone()
	}
	if openErr != nil {
		return r.refuse(unopened(openErr))
	}
	r.target = target
	if want.Boot != "" && target.Identity() != want {
		return r.refuse(reasonIdentityMismatch.with(target.Identity().String()))
	}
	return true
}

// wanted is the process that the request names: a pid alone, with which a name
// must go, has no boot.
func (r *run) wanted() (process.Identity, *Reason) {
	if r.request.Identity == "" {
		if r.request.Name == "" && !r.inspects || r.request.PID <= 0 {
			return process.Identity{}, &reasonIdentityMissing
		}
		return process.Identity{PID: r.request.PID}, nil
	}
	id, err := process.ParseIdentity(r.request.Identity)
	if err != nil {
		reason := reasonIdentityMalformed.with(err.Error())
		return id, &reason
	}
	r.result.Subject.PID, r.result.Subject.Identity = id.PID, id.String()
	if r.request.PID != 0 && r.request.PID != id.PID {
		reason := reasonIdentityMismatch.with("the request names two pids")
		return id, &reason
	}
	return id, nil
}

// unopened gives the reason why there is no hold on a process.
func unopened(err error) Reason {
	for _, known := range [...]struct {
		err    error
		reason Reason
	}{
		{process.ErrNotLeader, reasonNotLeader}, {process.ErrNoPidfd, reasonNoPidfd}, {process.ErrForeignProc, reasonForeignProc},
		{process.ErrUnsteady, reasonChanged}, {errPlatform, reasonPlatform}, {errHidden, reasonHidden},
	} {
		if errors.Is(err, known.err) {
			return known.reason.with(err.Error())
		}
	}
	return reasonFailed.with(err.Error())
}

// claim makes sure that no other request works on the process.
func (r *run) claim() bool {
	identity := r.target.Identity()
	if r.request.DryRun {
		if other, busy := r.t.claims.of(identity); busy {
			return r.refuse(reasonInProgress.with(other))
		}
		return true
	}
	if other, ok := r.t.claims.take(identity, r.result.ID); !ok {
		return r.refuse(reasonInProgress.with(other))
	}
	return true
}

func (r *run) dropClaim() {
	if !r.request.DryRun && !r.pending {
		r.t.claims.drop(r.target.Identity())
	}
}

// approve checks everything on the process as it is now.
func (r *run) approve(ctx context.Context) bool {
	if !r.look() {
		return false
	}
	if reasons := r.consult(ctx); len(reasons) > 0 {
		return r.refuse(reasons...)
	}
	return true
}

// look sees the process as it is now, and refuses where a guard holds or it is
// no longer what an earlier look saw.
func (r *run) look() bool {
	before := r.seen
	if !r.see() {
		return false
	}
	if r.seen.Ended && before != nil {
		return r.gone()
	}
	if reasons := Check(r.seen, r.host); len(reasons) > 0 {
		return r.refuse(reasons...)
	}
	if before != nil {
		if what := before.changed(r.seen); what != "" {
			return r.refuse(reasonChanged.with(what))
		}
	}
	return true
}

// see reads the process and the host as they are now.
func (r *run) see() bool {
	facts, err := r.target.Facts()
	switch {
	case errors.Is(err, process.ErrGone):
		return r.gone()
	case errors.Is(err, process.ErrUnsteady):
		return r.refuse(reasonChanged.with(err.Error()))
	case err != nil:
		return r.refuse(reasonFailed.with(err.Error()))
	}
	r.host = r.t.config.Host()
	r.seen = facts
	r.result.Subject = subjectOf(facts)
	r.result.Weaker = r.host.weaker()
	if name := r.request.Name; name != "" && name != facts.TrustedName() {
		return r.refuse(reasonNameMismatch.with(facts.TrustedName()))
	}
	return true
}

// consult asks policy about what was seen.
func (r *run) consult(ctx context.Context) []Reason {
	ruling, reasons := r.t.consult(ctx, r.seen, &r.request)
	r.result.Policy, r.consulted = ruling, true
	return reasons
}

// rehearsed tells a dry run that got this far.
func (r *run) rehearsed() bool {
	if r.request.DryRun {
		r.result.Outcome = WouldTerminate
	}
	return r.request.DryRun
}

// cancelled tells whether the client went away before anything was sent.
func (r *run) cancelled(ctx context.Context) bool {
	return ctx.Err() != nil && !r.refuse(reasonCancelled)
}

// send sends signals to the process. What follows the first only helps it.
func (r *run) send(signals ...Signal) bool {
	r.sentAt = time.Now()
	err := r.target.Signal(signals[0])
	switch {
	case errors.Is(err, process.ErrGone):
		return r.gone()
	case errors.Is(err, errNoSoft):
		r.abrupt = true
		r.result.Graceful = new(bool)
		return false
	case errors.Is(err, fs.ErrPermission):
		return r.refuse(reasonNotPermitted.with(err.Error()))
	case err != nil:
		return r.refuse(reasonFailed.with(err.Error()))
	}
	if r.host.Windows && signals[0] == Term {
		asked := true
		r.result.Graceful = &asked
	}
	r.result.Sent = append(r.result.Sent, r.host.signalName(signals[0]))
	for _, signal := range signals[1:] {
		if r.target.Signal(signal) == nil {
			r.result.Sent = append(r.result.Sent, r.host.signalName(signal))
		}
	}
	r.t.history.put(&r.result)
	return true
}

// wait waits for the end of the process: at most for limit, and less where
// server-monitor stops and reserve is needed for what comes after, which cut
// tells.
func (r *run) wait(limit, reserve time.Duration) (exited, cut bool) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	keep := context.AfterFunc(r.t.stopping, func() {
		select {
		case <-time.After(r.t.untilStopped() - reserve):
			cancel()
		case <-ctx.Done():
		}
	})
	defer keep()
	exited = r.target.Wait(ctx) == nil
	return exited, !exited && errors.Is(ctx.Err(), context.Canceled)
}

// exited tells whether the process has ended.
func (r *run) exited() bool {
	if r.target == nil {
		return false
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return r.target.Wait(ctx) == nil
}
