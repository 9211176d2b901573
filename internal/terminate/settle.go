package terminate

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// refuse settles the result for reasons. It returns false for the caller to
// return.
func (r *run) refuse(reasons ...Reason) bool {
	r.result.Outcome, r.result.Reasons = Refused, reasons
	return false
}

// gone settles the result of a process that is no more.
func (r *run) gone() bool {
	if len(r.result.Sent) > 0 {
		r.ended(Terminated, Soft)
	} else {
		r.result.Outcome, r.result.Reasons = AlreadyExited, nil
	}
	return false
}

// ended settles the result of a process that ended by our doing, and looks
// which of its children are left.
func (r *run) ended(outcome Outcome, method Method) {
	r.result.Outcome, r.result.Method, r.result.Reasons = outcome, method, nil
	r.result.Children = nil
	for _, child := range r.children {
		if r.t.config.Targets.Alive(child.identity) && !slices.Contains(r.result.Children, child) {
			r.result.Children = append(r.result.Children, child)
		}
	}
}

// intend audits what is about to be done. Nothing is done unaudited.
func (r *run) intend(stage Stage) bool {
	if err := r.record(r.event(stage, Accepted)); err != nil {
		return r.refuse(reasonAuditUnavailable.with(err.Error()))
	}
	return true
}

// decide audits a decision against sending anything.
func (r *run) decide() {
	decision := Rejected
	switch r.result.Outcome {
	case WouldTerminate:
		decision = Rehearsed
	case AlreadyExited:
		decision = NotNeeded
	}
	_ = r.record(r.event(StageDecision, decision))
}

// recordOutcome audits what became of an intent.
func (r *run) recordOutcome() {
	r.result.TotalSeconds = time.Since(r.result.Started).Seconds()
	r.result.Unaudited = r.record(r.event(StageOutcome, "")) != nil
}

// record writes an event, and says so in the log where that fails.
func (r *run) record(e *Event) error {
	err := r.t.config.Audit.Record(context.Background(), e)
	if err != nil {
		r.t.config.Logger.Error("Audit failed", slog.String("id", e.ID), slog.String("stage", string(e.Stage)),
			slog.Int("pid", e.PID), slog.String("outcome", string(e.Outcome)), slog.Any("err", err))
	}
	return err
}

// finish makes the result known.
func (r *run) finish() Result {
	r.result.Done = !r.pending
	r.result.TotalSeconds = time.Since(r.result.Started).Seconds()
	r.t.history.put(&r.result)
	r.t.config.Done(&r.result)
	result := r.result
	if r.pending {
		r.t.watchers.Add(1)
		go r.watch()
	}
	return result
}

// watch waits on for the end of a process that SIGKILL has not ended yet. Until
// then no other request may send it anything.
func (r *run) watch() {
	defer r.t.watchers.Done()
	err := r.target.Wait(r.t.life)
	r.pending = false
	defer r.letGo()
	defer r.dropClaim()
	if err != nil {
		return // server-monitor stops first
	}
	r.result.HardSeconds, r.result.Late = time.Since(r.sentAt).Seconds(), true
	r.ended(Killed, Hard)
	r.recordOutcome()
	r.finish()
}

// letGo gives up the hold on the process, unless somebody waits on.
func (r *run) letGo() {
	if r.target != nil && !r.pending {
		r.target.Close()
	}
}
