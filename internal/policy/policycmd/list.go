package policycmd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// Filter says which documents are listed. Empty fields let all pass.
type Filter struct {
	Platform policy.Platform
	Category string
	Tag      string
	Source   policy.Source
	// Name is a part of the name.
	Name string
}

// passes tells whether a document is listed.
func (f *Filter) passes(l *policy.Listed) bool {
	return (f.Platform == "" || l.Platform == f.Platform) && (f.Category == "" || l.Category == f.Category) &&
		(f.Source == "" || l.Source == f.Source) && strings.Contains(l.Name, strings.ToLower(f.Name)) &&
		(f.Tag == "" || slices.Contains(l.Tags, f.Tag))
}

// listed is a document with its source, in JSON.
type listed struct {
	Source policy.Source `json:"source"`
	*policy.Document
}

// List prints the documents that hold, and what is malformed.
func (p *Printer) List(set *policy.Set, f Filter) error {
	found := []listed{}
	for _, l := range set.Documents() {
		if f.passes(&l) {
			found = append(found, listed{l.Source, l.Document})
		}
	}
	invalid := append([]policy.Invalid{}, set.Invalid()...)
	if p.JSON {
		return p.json(struct {
			Version   string           `json:"version"`
			Documents []listed         `json:"documents"`
			Invalid   []policy.Invalid `json:"invalid"`
		}{set.Version(), found, invalid})
	}
	rows := [][]string{{"NAME", "PLATFORM", "SOURCE", "PROTECTED", "CATEGORY", "DESCRIPTION"}}
	for _, l := range found {
		rows = append(rows, []string{
			l.Name, string(l.Platform), string(l.Source), yes(l.Denies()), l.Category, p.describe(l.Document),
		})
	}
	if err := p.table(rows); err != nil {
		return err
	}
	for _, in := range invalid {
		if err := p.line("malformed: %s", describeInvalid(&in)); err != nil {
			return err
		}
	}
	return p.line("%d documents, policy version %s", len(found), set.Version())
}

// Rules prints the rules that are enabled.
func (p *Printer) Rules(set *policy.Set) error {
	rules := append([]*policy.Rule{}, set.Rules()...)
	if p.JSON {
		return p.json(rules)
	}
	rows := [][]string{{"ID", "PRIORITY", "EFFECT", "MATCH", "REASON"}}
	for _, r := range rules {
		rows = append(rows, []string{r.ID, fmt.Sprint(r.Priority), string(r.Effect), describeMatch(&r.Match), p.inLanguage(r.Reason, r.ReasonI18n)})
	}
	return p.table(rows)
}

// describe is the description in the language of the printer.
func (p *Printer) describe(d *policy.Document) string {
	return p.inLanguage(d.Description, d.DescriptionI18n)
}

func (p *Printer) inLanguage(english string, texts map[string]string) string {
	return language.Text{English: cmp.Or(texts["en"], english), Korean: texts["ko"]}.In(p.Language)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// describeInvalid is what is malformed, in one line that is safe to show.
func describeInvalid(in *policy.Invalid) string {
	problems := make([]string, len(in.Problems))
	for i, problem := range in.Problems {
		problems[i] = problem.String()
	}
	return process.Printable(in.Collection+" "+in.ID+": ") + strings.Join(problems, "; ")
}

// describeMatch are the conditions of a rule in one line.
func describeMatch(m *policy.Match) string {
	var all []string
	for _, c := range [...][2]string{{"name", m.Name}, {"exe", m.Exe}, {"user", m.User}, {"unit", m.Unit}, {"warning", m.Warning}} {
		if c[1] != "" {
			all = append(all, c[0]+"="+c[1])
		}
	}
	if m.MinMemoryRatio > 0 {
		all = append(all, fmt.Sprintf("memory>=%g", m.MinMemoryRatio))
	}
	return strings.Join(all, " ")
}
