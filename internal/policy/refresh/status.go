package refresh

import (
	"maps"
	"time"

	"server-monitor/internal/policy"
)

// Status is how policy fares.
type Status struct {
	// State is that of the last refresh: policy.NeverReached before the first
	// that succeeds, unless there is a copy.
	State policy.State
	// Up tells that the store answered the last refresh.
	Up bool
	// ChangeStream tells that changes are heard of at once.
	ChangeStream bool
	// LastSuccess is when the store was last read, by an earlier run of the
	// program too; zero if never.
	LastSuccess time.Time
	// Refreshes and Failures count since the start.
	Refreshes, Failures uint64
	// Err says why the last refresh failed, without secrets; CopyErr why the
	// last good copy could not be kept.
	Err, CopyErr string
	// Version, Documents, Rules and Invalid are those of the set that holds.
	Version   string
	Documents map[policy.Source]int
	Rules     int
	Invalid   int
}

// Status tells how policy fares. It does not block.
func (r *Refresher) Status() Status {
	set := r.Current()
	stats := set.Stats()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.status
	s.Version, s.Documents, s.Rules, s.Invalid = set.Version(), maps.Clone(stats.Documents), stats.Rules, stats.Invalid
	return s
}

// succeeded notes a refresh, and says so where the state changes.
func (r *Refresher) succeeded(set *policy.Set) {
	stats := set.Stats()
	r.mu.Lock()
	first := !r.status.Up
	invalidBefore := r.status.Invalid
	r.status.State, r.status.Up, r.status.Err = policy.Fresh, true, ""
	r.status.LastSuccess, r.status.Invalid = time.Now(), stats.Invalid
	r.status.Refreshes++
	r.mu.Unlock()
	if first {
		r.logger.Info("policy is read from the database", "documents", stats.Documents[policy.MongoDB],
			"rules", stats.Rules, "version", set.Version())
	}
	if stats.Invalid != invalidBefore {
		r.tellInvalid(set)
	}
}

// tellInvalid names what is malformed: the first of it, as there may be much.
func (r *Refresher) tellInvalid(set *policy.Set) {
	invalid := set.Invalid()
	if len(invalid) == 0 {
		r.logger.Info("no document of policy is malformed any more")
		return
	}
	first := invalid[0]
	what := first.Collection + " " + first.ID
	if len(first.Problems) > 0 {
		what = first.Collection + " " + first.Problems[0].String()
	}
	r.logger.Warn("documents of policy are malformed and protect their names", "count", len(invalid), "first", what)
}

// failed notes a refresh that failed, and says so where the state changes.
func (r *Refresher) failed(err error) {
	r.mu.Lock()
	before, asked := r.status.State, r.status.Refreshes+r.status.Failures > 0
	if r.status.State == policy.Fresh {
		r.status.State = policy.Degraded
	}
	state := r.status.State
	r.status.Up, r.status.Err = false, err.Error()
	r.status.Failures++
	r.mu.Unlock()
	if state == before && asked {
		return
	}
	if state == policy.Degraded {
		r.logger.Warn("the policy database is away: going on with the last good copy", "err", err)
	} else {
		r.logger.Warn("the policy database was never reached: going on with the catalogue, ending no processes", "err", err)
	}
}

func (r *Refresher) setStream(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.ChangeStream = on
}
