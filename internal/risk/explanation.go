package risk

import (
	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// Explanation is an assessment in words for people, in one language. All of
// it is safe to show.
type Explanation struct {
	// Role says what the program is for, in one line: from policy; for an
	// unknown one, what can be said from its unit, path, parent and user.
	Role string `json:"role"`
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
	return Explanation{}
}
