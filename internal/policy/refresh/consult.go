package refresh

import (
	"context"
	"fmt"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
)

// Consult implements [policy.Consultant]: it asks the primary about all names of
// the process, and falls back as the outage table says.
func (r *Refresher) Consult(ctx context.Context, p policy.Subject) policy.Consultation {
	ctx, cancel := context.WithTimeout(ctx, ConsultBudget)
	defer cancel()
	asked := time.Now()
	found, err := r.lookup(ctx, p)
	set := r.Current()
	if err != nil {
		status := r.Status()
		state := status.State
		if state == policy.Fresh {
			state = policy.Degraded
		}
		return policy.Consultation{State: state, Set: set, Read: status.LastSuccess, Err: err}
	}
	seen := make(map[string]bool, len(found.entries))
	for i := range found.entries {
		seen[found.entries[i].ID.String()] = true
	}
	fresh := set.Refreshed(p, mongostore.Contents(found.entries, found.rules), func(id string) bool { return seen[id] })
	return policy.Consultation{State: policy.Fresh, Set: fresh, Read: asked}
}

type found struct {
	entries []mongostore.Entry
	rules   []mongostore.RuleEntry
	err     error
}

// lookup asks the store, and does not wait longer than ctx holds, even if the
// driver would.
func (r *Refresher) lookup(ctx context.Context, p policy.Subject) (found, error) {
	names, cut := p.Names()
	answer := make(chan found, 1)
	go func() {
		entries, rules, err := r.store.Lookup(ctx, names, cut)
		answer <- found{entries, rules, err}
	}()
	select {
	case f := <-answer:
		return f, f.err
	case <-ctx.Done():
		return found{}, fmt.Errorf("look up a process: %w", context.Cause(ctx))
	}
}
