package risk

import (
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// Criteria are the thresholds that an operator may move.
type Criteria struct {
	// AllowedPaths are folders beside the standard ones from which programs
	// may run without SUSPICIOUS_PATH.
	AllowedPaths []string
	// HighMemoryRatio is the part of the machine's memory, from 0 to 1, from
	// which on a process bears HIGH_MEMORY_USAGE.
	HighMemoryRatio float64
}

// DefaultHighMemoryRatio is the threshold of HIGH_MEMORY_USAGE.
const DefaultHighMemoryRatio = 0.2

// Judge assesses processes. It keeps nothing from one to the next: the same
// data and policy always give the same verdict.
type Judge struct {
	criteria Criteria
}

// NewJudge makes a judge.
func NewJudge(criteria Criteria) *Judge { return &Judge{criteria: criteria} }

// Moment is what of the figures that change all the time a judgement depends
// on. A judgement holds for one revision of a process, one policy set and one
// moment.
type Moment struct {
	HighMemory bool // resident memory is above the threshold
	Ended      bool // it is a zombie
}

// Moment reads the moment of a process on a machine with that much memory.
func (j *Judge) Moment(p *process.Process, memoryTotal uint64) Moment {
	return Moment{
		HighMemory: memoryTotal > 0 && float64(p.ResidentBytes) >= j.criteria.HighMemoryRatio*float64(memoryTotal),
		Ended:      p.State == process.Zombie || p.State == process.Dead,
	}
}

// Assess judges one process.
func (j *Judge) Assess(p *process.Process, m Moment, set *policy.Set) Assessment {
	return Assessment{}
}
