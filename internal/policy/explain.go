package policy

import (
	"fmt"
	"slices"
	"strings"

	"server-monitor/internal/process"
)

// Explanation says all that policy has to do with a process, and why. It is for
// people and scripts; its texts are safe to show.
type Explanation struct {
	// Names are those under which policy looks for it.
	Names []NameUse `json:"names"`
	// Documents are all that bear one of the names.
	Documents []DocumentUse `json:"documents"`
	// Rules are all that are enabled.
	Rules []RuleUse `json:"rules"`
	// Denied and Automatic sum up: By names what decides, Reason says why.
	Denied    bool   `json:"denied"`
	Untrusted bool   `json:"untrusted_name,omitempty"`
	Automatic bool   `json:"auto_terminate"`
	By        string `json:"by,omitempty"`
	Reason    string `json:"reason,omitempty"`
	ReasonKo  string `json:"reason_ko,omitempty"`
}

// NameUse is one name of a process.
type NameUse struct {
	Name string `json:"name"`
	// Trusted tells the name of an executable that cannot be forged: only such
	// a one grants anything.
	Trusted bool `json:"trusted"`
	// Cut tells that the kernel may have kept no more of it.
	Cut bool `json:"cut,omitempty"`
}

// DocumentUse is one document that bears a name of the process.
type DocumentUse struct {
	Document string `json:"document"`
	Source   Source `json:"source"`
	// Describes tells that it is the one that describes the process, Denies that
	// it forbids to end it.
	Describes bool `json:"describes"`
	Denies    bool `json:"denies"`
	// Why says why it does what it does, or nothing.
	Why string `json:"why"`
}

// RuleUse is one rule, and whether it holds for the process.
type RuleUse struct {
	ID       string     `json:"id"`
	Effect   RuleEffect `json:"effect"`
	Priority int64      `json:"priority"`
	Holds    bool       `json:"holds"`
	Why      string     `json:"why"`
}

// Explain says what policy has to do with a process. described is the document
// that describes it, nil where none does: which one that is, package risk says.
func (s *Set) Explain(p Subject, described *Document) Explanation {
	var e Explanation
	aliases := p.aliases()
	for i := range aliases {
		a := &aliases[i]
		e.Names = append(e.Names, NameUse{a.printable(), a.trusted, a.cut})
		e.Documents = append(e.Documents, s.explainName(a, &p, described)...)
	}
	for _, r := range s.rules {
		e.Rules = append(e.Rules, r.explain(&p, aliases))
	}
	if d := s.Denial(p); d != nil {
		text := d.Reason()
		e.Denied, e.Untrusted, e.By, e.Reason, e.ReasonKo = true, d.Untrusted, d.By(), text.English, text.Korean
	} else if g := s.AutoTerminate(p); g != nil {
		e.Automatic, e.By = true, g.By()
	}
	return e
}

// explainName says what the documents of one name do.
func (s *Set) explainName(a *alias, p *Subject, described *Document) []DocumentUse {
	names := []string{a.name}
	if a.cut {
		longer := slices.Sorted(slices.Values(s.longer[a.name]))
		names = append(names, longer[:min(len(longer), 5)]...)
	}
	var all []DocumentUse
	for _, name := range names {
		for _, platform := range s.lookups() {
			e := s.entries[key{name, platform}]
			if e == nil {
				continue
			}
			label := process.Printable(string(platform) + "/" + name)
			for _, d := range e.documents {
				all = append(all, d.explain(label, a, p, described != nil && d.document().Digest() == described.Digest()))
			}
			for _, in := range e.invalid {
				all = append(all, DocumentUse{Document: label, Source: MongoDB, Denies: true, Why: "is malformed (_id " + in.ID + ") and so protects its name"})
			}
		}
	}
	return all
}

// explain says what one document does.
func (s *sourced) explain(label string, a *alias, p *Subject, describes bool) DocumentUse {
	d := s.document()
	use := DocumentUse{Document: label, Source: s.source, Describes: describes}
	use.Denies = d.Denies() && (!a.trusted || d.MayBeAt(p.Exe))
	switch {
	case a.trusted && !d.MayBeAt(p.Exe):
		use.Why = "is about other executables: " + process.Printable(strings.Join(d.Paths, " "))
	case use.Denies && !a.trusted:
		use.Why = "forbids, though whoever started the process may have chosen the name " + a.printable()
	case use.Denies:
		use.Why = "forbids"
	case !a.trusted:
		use.Why = "permits nothing by a name that can be chosen"
	case d.AutoTerminate:
		use.Why = "lets automation end it"
	default:
		use.Why = "does not forbid"
	}
	return use
}

// explain says whether a rule holds, and the first condition that does not.
func (r *Rule) explain(p *Subject, aliases []alias) RuleUse {
	use := RuleUse{ID: process.Printable(r.ID), Effect: r.Effect, Priority: r.Priority, Why: "all conditions hold"}
	if r.Effect == AutoTerminate {
		use.Holds = r.grants(p)
	} else {
		_, use.Holds = r.protects(p, aliases)
	}
	if !use.Holds {
		use.Why = process.Printable(r.missing(p))
	}
	return use
}

// missing is the first condition that does not hold.
func (r *Rule) missing(p *Subject) string {
	m := &r.Match
	_, trusted := p.trustedName()
	switch {
	case r.Effect == AutoTerminate && !trusted:
		return "the name of the process can be forged, or is that of an interpreter"
	case m.User != "" && m.User != p.User:
		return fmt.Sprintf("the user is %s, not %s", p.User, m.User)
	case m.Unit != "" && m.Unit != p.Unit && m.Unit != p.UserUnit:
		return fmt.Sprintf("the unit is %q, not %q", p.Unit, m.Unit)
	case p.MemoryRatio < m.MinMemoryRatio:
		return fmt.Sprintf("it has %.3f of the memory, less than %.3f", p.MemoryRatio, m.MinMemoryRatio)
	case m.Warning != "" && !slices.ContainsFunc(p.Warnings, m.wants):
		return "it does not bear " + m.Warning
	case m.Exe != "" && (r.exe == nil || !r.exe.Match(p.Exe)):
		return "the executable is not at " + m.Exe
	}
	return "the name is not " + m.Name
}

// By names what grants, safe to show.
func (g *Grant) By() string {
	if g.Rule != nil {
		return g.Rule.name()
	}
	return process.Printable(string(g.Document.Platform) + "/" + g.Document.Name)
}
