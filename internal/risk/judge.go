package risk

import (
	"cmp"
	"path"
	"slices"
	"strings"

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
// data and policy always give the same verdict. It is safe for concurrent use.
type Judge struct {
	criteria Criteria
}

// NewJudge makes a judge.
func NewJudge(criteria Criteria) *Judge {
	criteria.AllowedPaths = slices.Clone(criteria.AllowedPaths)
	return &Judge{criteria: criteria}
}

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
	c := j.inquire(p, set)
	if c.excluded(m) {
		return Assessment{Excluded: true}
	}
	a := Assessment{Document: c.document, Unseen: p.Denied, Forgeable: p.Namespaces.ByUser}
	var buffer [8]Warning // most processes bear none or few
	found := buffer[:0]
	if runsAsRoot(p, c.platform) {
		found = append(found, Warning{Code: RunningAsRoot, Severity: Warn})
	}
	found = appendPorts(found, p.Listen)
	if m.HighMemory {
		found = append(found, Warning{Code: HighMemoryUsage, Severity: Info})
	}
	found = j.appendFile(found, c)
	if len(found) == 0 {
		a.Verdict = verdict(&a)
		return a
	}
	for i := range found {
		found[i].Expected = c.trusted && expects(c.document, &found[i]) || c.partOfWindows(&found[i])
	}
	slices.SortStableFunc(found, func(a, b Warning) int { return cmp.Compare(b.Severity, a.Severity) })
	a.Warnings = slices.Clone(found)
	a.Verdict = verdict(&a)
	return a
}

// verdict weighs an assessment's warnings.
func verdict(a *Assessment) Verdict {
	worst := Info
	for i := range a.Warnings {
		if w := &a.Warnings[i]; !w.Expected {
			worst = max(worst, w.Severity)
		}
	}
	switch {
	case worst == Danger, worst == Warn && !a.Known():
		return Dangerous
	case worst == Warn, !a.Known(), a.Unseen != 0, a.Forgeable:
		return Caution
	}
	return Safe
}

// expects tells whether a document calls a warning normal.
func expects(d *policy.Document, w *Warning) bool {
	for _, expected := range d.ExpectedWarnings {
		rest, ok := strings.CutPrefix(expected, string(w.Code))
		if !ok {
			continue
		}
		if rest == "" {
			return true
		}
		if len(rest) == len(w.Subject)+2 && rest[0] == '(' && rest[len(rest)-1] == ')' && rest[1:len(rest)-1] == w.Subject {
			return true
		}
	}
	return false
}

// inquiry is one process together with what all rules need to know of it.
type inquiry struct {
	*process.Process
	judge    *Judge
	set      *policy.Set
	platform policy.Platform
	// exe is the executable as the process itself would call it.
	exe string
	// document describes the process, nil where none does.
	document *policy.Document
	// trusted tells that the name which found the document cannot have been
	// forged, so that its expectations count.
	trusted bool
}

func (j *Judge) inquire(p *process.Process, set *policy.Set) *inquiry {
	c := &inquiry{Process: p, judge: j, set: set, platform: set.Platform(), exe: ownPath(p)}
	c.describe()
	return c
}

// ownPath is the path of the executable within the root folder of the process.
// Only root can move a process to another root, except in a user namespace,
// where a path proves nothing and is better shown as the host sees it.
func ownPath(p *process.Process) string {
	if len(p.Root) < 2 || p.Namespaces.ByUser {
		return p.Exe
	}
	if below, ok := strings.CutPrefix(p.Exe, p.Root); ok && below != "" && below[0] == '/' {
		return below
	}
	return p.Exe
}

// describe looks up which document describes the process: that of the script of
// an interpreter, which is for describing only, as the command line is the
// process's own; else that of the executable; else that of its name without a
// version.
func (c *inquiry) describe() {
	interpreter := process.IsInterpreter(c.Name)
	if interpreter && c.Script != "" {
		// A program that the machine needs is a script only if its document
		// says so.
		d := c.set.Find(path.Base(c.Script), c.Script)
		if d != nil && (!d.Policy.IsSystem || d.MayBeAt(c.exe)) {
			c.document = d
			return
		}
	}
	c.document = c.set.Find(c.Name, c.exe)
	if c.document == nil {
		if short := process.WithoutVersion(c.Name); short != c.Name {
			c.document = c.set.Find(short, c.exe)
		}
	}
	c.trusted = c.document != nil && c.File.Trusted && !interpreter
}
