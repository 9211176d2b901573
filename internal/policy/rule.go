package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"server-monitor/internal/process"
)

// Rule is one entry of the collection process_rules. It adds to the documents
// and lifts nothing.
type Rule struct {
	// ID is the _id as people write it.
	ID      string `json:"id"`
	Enabled bool   `json:"enabled"`
	// Priority orders rules where more than one holds: the highest is named.
	// What protects holds whatever the priorities are.
	Priority int64      `json:"priority"`
	Match    Match      `json:"match"`
	Effect   RuleEffect `json:"effect"`
	Reason   string     `json:"reason"`
	// ReasonI18n holds the reason by language.
	ReasonI18n map[string]string `json:"reason_i18n,omitempty"`

	exe *Glob
}

// RuleEffect is what a rule does to the processes that it matches.
type RuleEffect string

// The effects.
const (
	// Protect forbids to end them.
	Protect RuleEffect = "protect"
	// AutoTerminate lets automation end them.
	AutoTerminate RuleEffect = "auto_terminate"
)

// Match are the conditions of a rule, all of which must hold. Empty ones are
// none.
type Match struct {
	// Name is the name of the program, in lower case.
	Name string `json:"name,omitempty"`
	// Exe is a glob of the executable, as in [Document.Paths].
	Exe  string `json:"exe,omitempty"`
	User string `json:"user,omitempty"`
	// Unit is the systemd unit, of the system or of a user.
	Unit string `json:"unit,omitempty"`
	// Warning is one that the process bears, as CODE or CODE(subject).
	Warning string `json:"warning,omitempty"`
	// MinMemoryRatio is the least part of the machine's memory.
	MinMemoryRatio float64 `json:"min_memory_ratio,omitempty"`
}

// RuleSubject names a rule for people. One of a file may have no _id.
func RuleSubject(id string) string {
	if id == "" {
		return "rule without an _id"
	}
	return "rule " + process.Printable(id)
}

// ValidateRule says all that is wrong with a rule.
func ValidateRule(r *Rule) []Problem {
	v := validation{document: RuleSubject(r.ID)}
	m := &r.Match
	if *m == (Match{}) {
		v.grave("match", "has no condition")
	}
	if m.Name != "" {
		v.name("match.name", m.Name)
	}
	if m.Exe != "" {
		if _, err := CompileGlob(m.Exe, false); err != nil {
			v.grave("match.exe", "%v", err)
		}
	}
	if _, _, ok := parseWarning(m.Warning); m.Warning != "" && !ok {
		v.grave("match.warning", "is %q: want CODE or CODE(subject) of a known warning", m.Warning)
	}
	if !(m.MinMemoryRatio >= 0 && m.MinMemoryRatio <= 1) {
		v.grave("match.min_memory_ratio", "is %v: want a ratio from 0 to 1", m.MinMemoryRatio)
	}
	switch {
	case r.Effect != Protect && r.Effect != AutoTerminate:
		v.grave("effect", "is %q: want protect or auto_terminate", r.Effect)
	case r.Effect == AutoTerminate && m.Name == "" && m.Exe == "":
		v.grave("match", "has neither name nor exe: auto_terminate must say which program it may end")
	}
	v.line("reason", r.Reason)
	v.texts("reason_i18n", r.ReasonI18n, r.Reason)
	return v.problems
}

// addRules adds the rules that are enabled.
func (s *Set) addRules(digests []digest, rules []Rule) []digest {
	for i := range rules {
		r := rules[i]
		digests = append(digests, digestJSON(&r))
		if r.Enabled {
			r.compile()
			s.rules = append(s.rules, &r)
		}
	}
	s.stats.Rules = len(s.rules)
	slices.SortFunc(s.rules, byPriority)
	return digests
}

func byPriority(a, b *Rule) int {
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), strings.Compare(a.ID, b.ID))
}

// compile compiles the glob of a rule. One that is wrong stays nil; [ValidateRule]
// names it.
func (r *Rule) compile() {
	if r.Match.Exe != "" {
		r.exe, _ = CompileGlob(r.Match.Exe, false)
	}
}

// name is how people call a rule.
func (r *Rule) name() string { return fmt.Sprintf("rule %s", process.Printable(r.ID)) }

// protects tells whether a rule forbids to end the process, and under which
// name. Every name of the process counts.
func (r *Rule) protects(p *Subject, aliases []alias) (alias, bool) {
	if r.Effect == AutoTerminate || !r.holds(p) {
		return alias{}, false
	}
	if r.Match.Exe != "" && (r.exe == nil || !r.exe.Match(p.Exe) && !r.exe.Match(p.Script)) {
		return alias{}, false
	}
	if r.Match.Name == "" {
		return alias{trusted: true}, true
	}
	for _, a := range aliases {
		if a.name == r.Match.Name || a.cut && strings.HasPrefix(r.Match.Name, a.name) {
			return a, true
		}
	}
	return alias{}, false
}

// grants tells whether a rule lets automation end the process, which takes a
// name that cannot be forged.
func (r *Rule) grants(p *Subject) bool {
	name, ok := p.trustedName()
	m := &r.Match
	switch {
	case !ok, r.Effect != AutoTerminate, m.Name == "" && m.Exe == "", m.Name != "" && m.Name != name:
		return false
	case m.Exe != "" && (r.exe == nil || !r.exe.Match(p.Exe)):
		return false
	}
	return r.holds(p)
}

// holds tells whether the conditions that are no names hold.
func (r *Rule) holds(p *Subject) bool {
	m := &r.Match
	return (m.User == "" || m.User == p.User) &&
		(m.Unit == "" || m.Unit == p.Unit || m.Unit == p.UserUnit) &&
		p.MemoryRatio >= m.MinMemoryRatio &&
		(m.Warning == "" || slices.ContainsFunc(p.Warnings, m.wants))
}

// wants tells whether a warning is the one of the condition.
func (m *Match) wants(warning string) bool {
	code, _, _ := strings.Cut(warning, "(")
	return warning == m.Warning || code == m.Warning
}
