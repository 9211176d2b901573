package risk

import (
	"strings"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// Explanation is an assessment in words for people, in one language. All of
// it is safe to show.
type Explanation struct {
	// Role says what the program is for, in one line: from policy; for an
	// unknown one, what can be said from its unit, path, parent and user.
	Role string `json:"role"`
	// State says what it is doing.
	State string `json:"state"`
	// Summary is the verdict in one sentence.
	Summary string `json:"summary"`
	// Findings explain the warnings, in the order of the assessment.
	Findings []Finding `json:"findings"`
}

// Finding explains one warning.
type Finding struct {
	// Warning is the warning as people write it: "PUBLIC_PORT(22)".
	Warning  string `json:"warning"`
	Severity string `json:"severity"`
	Expected bool   `json:"expected"`
	// Text says what was found, Advice what to do about it.
	Text   string `json:"text"`
	Advice string `json:"advice"`
}

// Explain puts an assessment of p into words. parent is the process that
// started p, nil where it is not known.
func Explain(p, parent *process.Process, a *Assessment, l language.Language) Explanation {
	e := Explanation{
		Role:     role(p, parent, a, l),
		State:    state(p.State, l),
		Summary:  summary(a, l),
		Findings: make([]Finding, 0, len(a.Warnings)),
	}
	for i := range a.Warnings {
		e.Findings = append(e.Findings, explain(p, &a.Warnings[i], l))
	}
	return e
}

// state puts the state of the scheduler into words.
func state(s process.State, l language.Language) string {
	m := stateOther
	switch s {
	case process.Running:
		m = stateRunning
	case process.Sleeping:
		m = stateSleeping
	case process.Uninterruptible:
		m = stateUninterruptible
	case process.Stopped:
		m = stateStopped
	case process.Traced:
		m = stateTraced
	case process.Idle:
		m = stateIdle
	case process.Zombie, process.Dead:
		m = stateEnded
	}
	return m.in(l)
}

// summary puts the verdict into a sentence that says what it comes from.
func summary(a *Assessment, l language.Language) string {
	switch {
	case a.Excluded:
		return summaryExcluded.in(l)
	case a.Verdict == Dangerous && !a.Known():
		return summaryUnknownDanger.in(l, "codes", counting(a, l))
	case a.Verdict == Dangerous:
		return summaryDanger.in(l, "codes", counting(a, l))
	case !a.Known() && len(a.Warnings) > 0:
		return summaryUnknownNoted.in(l)
	case !a.Known():
		return summaryUnknown.in(l)
	case a.Verdict == Caution && counting(a, l) != "":
		return summaryCaution.in(l, "codes", counting(a, l))
	case a.Verdict == Caution && a.Unseen == 0:
		return summaryForgeable.in(l)
	case a.Verdict == Caution:
		return summaryUnseen.in(l, "facts", unseen(a.Unseen, l))
	case len(a.Warnings) == 0:
		return summarySafe.in(l)
	}
	for i := range a.Warnings {
		if !a.Warnings[i].Expected {
			return summarySafeNoted.in(l)
		}
	}
	return summarySafeExpected.in(l)
}

// counting lists the warnings that the verdict comes from.
func counting(a *Assessment, l language.Language) string {
	var codes []string
	for i := range a.Warnings {
		if w := &a.Warnings[i]; !w.Expected && w.Severity > Info {
			codes = append(codes, w.String())
		}
	}
	return strings.Join(codes, joinList.in(l))
}

// unseen names the facts that could not be read.
func unseen(facts process.Denied, l language.Language) string {
	var names []string
	for fact := range facts.All() {
		switch fact {
		case process.DeniedExe:
			names = append(names, unseenExe.in(l))
		case process.DeniedNamespaces:
			names = append(names, unseenNamespaces.in(l))
		case process.DeniedSockets:
			names = append(names, unseenSockets.in(l))
		case process.DeniedCgroup:
			names = append(names, unseenCgroup.in(l))
		case process.DeniedUser:
			names = append(names, unseenUser.in(l))
		case process.DeniedProtection:
			names = append(names, unseenProtection.in(l))
		}
	}
	return strings.Join(names, joinList.in(l))
}
