package terminate

import (
	"context"
	"time"
)

// measureBudget bounds the measurement before SIGKILL.
const measureBudget = 2 * time.Second

// measure measures anew what rules of policy may ask for. Without that a rule that
// protects might not hold, so that the process is let go.
func (r *run) measure(ctx context.Context) bool {
	if r.request.Measure == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, r.measureTime())
	defer cancel()
	if err := r.request.Measure(ctx, &r.request); err != nil {
		return r.refuse(reasonFailed.with(err.Error()))
	}
	return true
}

// measureTime is how long the measurement may take: less where server-monitor
// stops, and time is needed for what comes after.
func (r *run) measureTime() time.Duration {
	if r.t.stopping.Err() == nil {
		return measureBudget
	}
	return min(measureBudget, r.t.untilStopped()-r.t.config.PolicyBudget-r.t.config.KillWait)
}
