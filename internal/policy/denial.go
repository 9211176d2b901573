package policy

import (
	"cmp"
	"slices"
	"strings"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// Denial says why policy forbids to end a process. Exactly one of Document,
// Rule and Invalid is set.
type Denial struct {
	// Document forbids it, and comes from Source.
	Document *Document
	Source   Source
	// Rule protects it.
	Rule *Rule
	// Invalid is malformed and might have protected it.
	Invalid *Invalid
	// Alias is the name of the process by which it was found, safe to show;
	// empty for a rule that asks for no name.
	Alias string
	// Untrusted tells that the process, or whoever started it, chose that name:
	// somebody may be hiding behind it. It is denied all the same.
	Untrusted bool
}

// Denial tells whether policy forbids to end a process, nil where it does not.
// It does where any document, rule or malformed document of any of its names
// does: none lifts what another forbids. Which of them is returned does not
// depend on their order.
func (s *Set) Denial(p Subject) *Denial {
	aliases := p.aliases()
	var found []ranked
	for i := range aliases {
		found = s.denyName(found, &aliases[i], &p)
	}
	found = s.denyByRule(found, &p, aliases)
	if len(found) == 0 {
		return nil
	}
	first := slices.MinFunc(found, func(a, b ranked) int { return a.rank.compare(b.rank) })
	return first.Denial
}

// rank orders denials, so that the one that says most is named.
type rank struct {
	untrusted bool
	kind      int // document, rule, malformed
	common    bool
	source    int
	priority  int64
	name      string
}

type ranked struct {
	*Denial
	rank rank
}

func (r rank) compare(other rank) int {
	return cmp.Or(
		compareBool(r.untrusted, other.untrusted), cmp.Compare(r.kind, other.kind), compareBool(r.common, other.common),
		cmp.Compare(r.source, other.source), cmp.Compare(other.priority, r.priority), strings.Compare(r.name, other.name),
	)
}

// compareBool puts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// The kinds of denials in the order in which they are named.
const (
	kindDocument = iota
	kindRule
	kindInvalid
)

// denyName adds what the documents of one name forbid.
func (s *Set) denyName(found []ranked, a *alias, p *Subject) []ranked {
	for _, platform := range s.lookups() {
		if e := s.entries[key{a.name, platform}]; e != nil {
			found = e.deny(found, a, p, rank{untrusted: !a.trusted, common: platform == Common, name: a.name})
		}
	}
	if a.cut {
		found = s.denyCut(found, a)
	}
	return found
}

// denyCut adds what forbids to end one of the programs whose longer names the
// kernel cuts to this one: that which says most.
func (s *Set) denyCut(found []ranked, a *alias) []ranked {
	forged := *a
	forged.trusted = false
	var all []ranked
	for _, k := range s.cut[a.name] {
		all = s.entries[k].deny(all, &forged, &Subject{}, rank{untrusted: true, common: k.platform == Common, name: k.name})
	}
	if len(all) == 0 {
		return found
	}
	return append(found, slices.MinFunc(all, func(a, b ranked) int { return a.rank.compare(b.rank) }))
}

// cutNames finds the names that the kernel cuts.
func (s *Set) cutNames() {
	for k := range s.entries {
		if len(k.name) <= maxComm || k.platform != s.platform && k.platform != Common {
			continue
		}
		short := k.name[:maxComm]
		if k.platform == s.platform || s.entries[key{k.name, s.platform}] == nil {
			s.longer[short] = append(s.longer[short], k.name)
		}
		s.cut[short] = append(s.cut[short], k)
	}
	for _, names := range s.longer {
		slices.Sort(names)
	}
}

// deny adds what one entry forbids.
func (e *entry) deny(found []ranked, a *alias, p *Subject, r rank) []ranked {
	for _, d := range e.documents {
		// Where the name cannot be forged, neither can the path, which tells
		// whether the document is about this program at all.
		if !d.denies || a.trusted && !d.document().MayBeAt(p.Exe) {
			continue
		}
		r.kind, r.source = kindDocument, slices.Index(Sources, d.source)
		found = append(found, ranked{&Denial{Document: d.document(), Source: d.source, Alias: a.printable(), Untrusted: !a.trusted}, r})
	}
	for _, in := range e.invalid {
		r.kind, r.name = kindInvalid, in.ID
		found = append(found, ranked{&Denial{Invalid: in, Source: MongoDB, Alias: a.printable(), Untrusted: !a.trusted}, r})
	}
	return found
}

// denyByRule adds what rules protect.
func (s *Set) denyByRule(found []ranked, p *Subject, aliases []alias) []ranked {
	for _, rule := range s.rules {
		if a, ok := rule.protects(p, aliases); ok {
			r := rank{untrusted: !a.trusted, kind: kindRule, priority: rule.Priority, name: rule.ID}
			found = append(found, ranked{&Denial{Rule: rule, Source: MongoDB, Alias: a.printable(), Untrusted: !a.trusted}, r})
		}
	}
	for _, in := range s.broken {
		if a, ok := in.Rule.protects(p, aliases); ok {
			r := rank{untrusted: !a.trusted, kind: kindInvalid, name: in.ID}
			found = append(found, ranked{&Denial{Invalid: in, Source: MongoDB, Alias: a.printable(), Untrusted: !a.trusted}, r})
		}
	}
	return found
}

func (a *alias) printable() string { return process.Printable(a.shown) }

// By names what forbids, safe to show: "linux/sshd", "rule keep-backups".
func (d *Denial) By() string {
	switch {
	case d.Document != nil:
		return process.Printable(string(d.Document.Platform) + "/" + d.Document.Name)
	case d.Rule != nil:
		return d.Rule.name()
	}
	return process.Printable(d.Invalid.Collection + " " + d.Invalid.ID)
}

// Reason says why, for people, safe to show.
func (d *Denial) Reason() language.Text {
	switch {
	case d.Document != nil:
		return reasonText(d.Document.Policy.Reason, d.Document.Policy.ReasonI18n)
	case d.Rule != nil:
		return reasonText(d.Rule.Reason, d.Rule.ReasonI18n)
	}
	return language.Text{
		English: "its policy document is malformed, and a malformed document protects",
		Korean:  "정책 문서의 형식이 잘못되었습니다. 형식이 잘못된 문서의 프로세스는 보호됩니다",
	}
}

// reasonText is a reason in all its languages, or that there is none.
func reasonText(english string, texts map[string]string) language.Text {
	text := language.Text{
		English: process.Printable(cmp.Or(texts["en"], english)),
		Korean:  process.Printable(texts["ko"]),
	}
	if text.English == "" {
		return language.Text{English: "policy protects it and gives no reason", Korean: "정책에 따라 보호되며 사유는 기재되어 있지 않습니다"}
	}
	return text
}
