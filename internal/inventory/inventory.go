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

	mu     sync.Mutex
	judged map[int]judgement
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
	return &Keeper{source: source, judge: judge, policy: provider, judged: make(map[int]judgement)}
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
	for i := range snapshot.Processes {
		inventory.Assessments[i] = k.assess(&snapshot.Processes[i], snapshot.MemoryTotal, inventory.Policy)
	}
	k.forget(snapshot)
	return inventory, nil
}

// assess judges a process, unless the judgement of last time still holds.
func (k *Keeper) assess(p *process.Process, memoryTotal uint64, set *policy.Set) *risk.Assessment {
	moment := k.judge.Moment(p, memoryTotal)
	last, ok := k.judged[p.PID]
	if ok && last.identity == p.Identity && last.revision == p.Revision && last.moment == moment && last.set == set {
		return last.result
	}
	result := k.judge.Assess(p, moment, set)
	k.judged[p.PID] = judgement{p.Identity, p.Revision, moment, set, &result}
	return &result
}

// forget drops the judgements of processes that have ended.
func (k *Keeper) forget(snapshot *process.Snapshot) {
	if len(k.judged) == len(snapshot.Processes) {
		return // each process of the snapshot has one
	}
	for pid := range k.judged {
		if _, ok := indexOf(snapshot, pid); !ok {
			delete(k.judged, pid)
		}
	}
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
