package policycmd

import (
	"fmt"
	"strings"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// Show prints all documents of a name, "nginx" or "linux/nginx", in the order in
// which they are looked at.
func (p *Printer) Show(set *policy.Set, target string) error {
	platform, name := policy.Platform(""), strings.ToLower(target)
	if strings.Contains(target, "/") {
		var err error
		if platform, name, err = ParseTarget(target); err != nil {
			return err
		}
	}
	found := []listed{}
	for _, l := range set.All(name) {
		if platform == "" || l.Platform == platform {
			found = append(found, listed{l.Source, l.Document})
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%s: %w", process.Printable(target), ErrNotFound)
	}
	if p.JSON {
		return p.json(found)
	}
	for i := range found {
		if i > 0 {
			if err := p.line(""); err != nil {
				return err
			}
		}
		if err := p.show(&found[i]); err != nil {
			return err
		}
	}
	return nil
}

// show prints one document, a field a line.
func (p *Printer) show(l *listed) error {
	d := l.Document
	rows := [][]string{
		{"document", string(d.Platform) + "/" + d.Name + " (" + string(l.Source) + ")"},
		{"category", d.Category}, {"description", p.describe(d)},
		{"protected", yes(d.Denies())}, {"is_system", yes(d.Policy.IsSystem)}, {"terminatable", yes(d.Policy.Terminatable)},
		{"reason", p.inLanguage(d.Policy.Reason, d.Policy.ReasonI18n)}, {"auto_terminate", yes(d.AutoTerminate)},
		{"paths", strings.Join(d.Paths, " ")}, {"expected_warnings", strings.Join(d.ExpectedWarnings, " ")},
		{"tags", strings.Join(d.Tags, " ")}, {"created_at", date(d.CreatedAt)}, {"updated_at", date(d.UpdatedAt)},
	}
	shown := rows[:0]
	for _, row := range rows {
		if row[1] != "" {
			shown = append(shown, row)
		}
	}
	return p.table(shown)
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
