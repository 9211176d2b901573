// Package inventory holds what runs together with what it means: snapshots of
// the processes, each assessed once by one version of policy, the same for
// metrics, API and console.
package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"server-monitor/internal/flight"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

// Source makes snapshots of the processes; [process.Reader] is one.
type Source interface {
	Snapshot(ctx context.Context) (*process.Snapshot, error)
}

// Inventory is one snapshot with its assessment. It is immutable.
type Inventory struct {
	*process.Snapshot
	// Assessments belong to the processes of the snapshot by their index.
	Assessments []*risk.Assessment
	// Policy is the version that they were made by.
	Policy *policy.Set
}

// Index finds a process by its pid.
func (i *Inventory) Index(pid int) (int, bool) {
	return indexOf(i.Snapshot, pid)
}

// Process finds a process by its pid, nil where there is none.
func (i *Inventory) Process(pid int) *process.Process {
	if at, ok := i.Index(pid); ok {
		return &i.Processes[at]
	}
	return nil
}

// indexOf finds a process in a snapshot. It compares in place: a process is too
// large to be handed around.
func indexOf(s *process.Snapshot, pid int) (int, bool) {
	at := sort.Search(len(s.Processes), func(i int) bool { return s.Processes[i].PID >= pid })
	return at, at < len(s.Processes) && s.Processes[at].PID == pid
}

// Keeper makes inventories when they are asked for. Requests that arrive
// together share one. It is safe for concurrent use.
type Keeper struct {
	source Source
	judge  *risk.Judge
	policy policy.Provider

	flight flight.Flight[*Inventory]

	mu sync.Mutex
	// judged are the judgements of the last inventory, ordered by pid as the
	// processes are: to walk along both takes less than to look each up. The
	// spare list has room for those of the next one.
	judged, spare []judgement
}

// judgement is an assessment, and what it holds for.
type judgement struct {
	identity process.Identity
	revision uint64
	moment   risk.Moment
	set      *policy.Set
	result   *risk.Assessment
}

// flightLimit ends a collection that no request waits for any more.
const flightLimit = 2 * time.Minute

// NewKeeper makes a keeper.
func NewKeeper(source Source, judge *risk.Judge, provider policy.Provider) *Keeper {
	return &Keeper{source: source, judge: judge, policy: provider}
}

// Take makes an inventory of now, or joins one that is being made. Where ctx
// ends first, the collection goes on for the others. Whoever asks twice in one
// request is given the same one; see [flight.Remember].
func (k *Keeper) Take(ctx context.Context) (*Inventory, error) {
	return k.flight.Do(ctx, flightLimit, k.take)
}

// take makes an inventory.
func (k *Keeper) take(ctx context.Context) (*Inventory, error) {
	snapshot, err := k.source.Snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("read processes: %w", err)
	}
	order(snapshot)
	k.mu.Lock()
	defer k.mu.Unlock()
	inventory := &Inventory{
		Snapshot:    snapshot,
		Assessments: make([]*risk.Assessment, len(snapshot.Processes)),
		Policy:      k.policy.Current(),
	}
	next, old := slices.Grow(k.spare[:0], len(snapshot.Processes)), k.judged
	for i := range snapshot.Processes {
		p := &snapshot.Processes[i]
		for len(old) > 0 && old[0].identity.PID < p.PID {
			old = old[1:]
		}
		var last *judgement
		if len(old) > 0 && old[0].identity.PID == p.PID {
			last = &old[0]
		}
		next = append(next, k.assess(p, snapshot.MemoryTotal, inventory.Policy, last))
		inventory.Assessments[i] = next[i].result
	}
	k.judged, k.spare = next, k.judged
	clear(k.spare) // lets go of what has ended
	return inventory, nil
}

// assess judges a process, unless the last judgement on its pid still holds; nil
// is none.
func (k *Keeper) assess(p *process.Process, memoryTotal uint64, set *policy.Set, last *judgement) judgement {
	moment := k.judge.Moment(p, memoryTotal)
	if last != nil && last.identity == p.Identity && last.revision == p.Revision && last.moment == moment && last.set == set {
		return *last
	}
	result := k.judge.Assess(p, moment, set)
	return judgement{p.Identity, p.Revision, moment, set, &result}
}

// order makes sure of what everybody relies on: processes ascend by pid, each
// pid once.
func order(s *process.Snapshot) {
	for i := 1; i < len(s.Processes); i++ {
		if s.Processes[i-1].PID >= s.Processes[i].PID {
			slices.SortStableFunc(s.Processes, func(a, b process.Process) int { return cmp.Compare(a.PID, b.PID) })
			s.Processes = slices.CompactFunc(s.Processes, func(a, b process.Process) bool { return a.PID == b.PID })
			return
		}
	}
}
