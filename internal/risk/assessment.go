package risk

import (
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// Assessment is the judgement of one process.
type Assessment struct {
	// Excluded tells a process that is counted but not judged: a kernel
	// thread, a zombie, the init of a container. The rest is then empty.
	Excluded bool
	Verdict  Verdict
	// Document is what policy knows of the process, nil for an unknown one.
	Document *policy.Document
	// Warnings are the findings, the heaviest first.
	Warnings []Warning
	// Unseen are the facts that could not be read; a process with any is not
	// called safe.
	Unseen process.Denied
	// Forgeable tells that an ordinary user made the user namespace that the
	// process lives in, and may have mounted any program at any path there. Such
	// a process is not called safe either.
	Forgeable bool
}

// Known tells whether a policy document describes the process.
func (a *Assessment) Known() bool { return a.Document != nil }

// Names are the warnings as people and rules of policy write them.
func (a *Assessment) Names() []string {
	names := make([]string, len(a.Warnings))
	for i, w := range a.Warnings {
		names[i] = w.String()
	}
	return names
}
