package policycmd

import (
	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// Checked is a live process that policy is asked about.
type Checked struct {
	PID      int
	Identity string
	Subject  policy.Subject
	// Described is the document that describes it, nil where none does.
	Described *policy.Document
	// Answer is what policy said.
	Answer policy.Consultation
}

// Check explains which documents and rules apply to a process, and why.
func (p *Printer) Check(c Checked) error {
	e := c.Answer.Set.Explain(c.Subject, c.Described)
	if p.JSON {
		return p.json(struct {
			PID         int          `json:"pid"`
			Identity    string       `json:"identity"`
			Name        string       `json:"name"`
			Exe         string       `json:"exe"`
			TrustedName bool         `json:"trusted_name"`
			State       policy.State `json:"policy_state"`
			Version     string       `json:"policy_version"`
			policy.Explanation
		}{
			c.PID, c.Identity, process.Printable(c.Subject.Name), process.Printable(c.Subject.Exe), c.Subject.Trusted,
			c.Answer.State, c.Answer.Set.Version(), e,
		})
	}
	if err := p.checkedFacts(&c); err != nil {
		return err
	}
	if err := p.checkedUses(&e); err != nil {
		return err
	}
	return p.line("%s", p.summary(&e, c.Answer.State))
}

// checkedFacts prints what policy looks at.
func (p *Printer) checkedFacts(c *Checked) error {
	trust := "may be forged: grants nothing"
	if c.Subject.Trusted {
		trust = "cannot be forged"
	}
	rows := [][]string{
		{"process", c.Identity}, {"name", c.Subject.Name + " (" + trust + ")"}, {"executable", c.Subject.Exe},
		{"user", c.Subject.User}, {"unit", c.Subject.Unit}, {"policy", string(c.Answer.State) + ", version " + c.Answer.Set.Version()},
	}
	if err := p.table(rows); err != nil {
		return err
	}
	return p.line("")
}

// checkedUses prints documents and rules.
func (p *Printer) checkedUses(e *policy.Explanation) error {
	rows := [][]string{{"DOCUMENT", "SOURCE", "DESCRIBES", "FORBIDS", "WHY"}}
	for _, d := range e.Documents {
		rows = append(rows, []string{d.Document, string(d.Source), yes(d.Describes), yes(d.Denies), d.Why})
	}
	if len(rows) > 1 {
		if err := p.table(rows); err != nil {
			return err
		}
	} else if err := p.line("no document bears a name of this process"); err != nil {
		return err
	}
	if len(e.Rules) > 0 {
		rows = [][]string{{"RULE", "EFFECT", "HOLDS", "WHY"}}
		for _, r := range e.Rules {
			rows = append(rows, []string{r.ID, string(r.Effect), yes(r.Holds), r.Why})
		}
		if err := p.table(rows); err != nil {
			return err
		}
	}
	return p.line("")
}

// summary says in one sentence what policy says.
func (p *Printer) summary(e *policy.Explanation, state policy.State) string {
	var text language.Text
	switch {
	case state == policy.NeverReached:
		text = language.Text{
			English: "The database was never reached: no process may be ended.",
			Korean:  "데이터베이스에 한 번도 연결하지 못했으므로 어떤 프로세스도 종료할 수 없습니다.",
		}
	case e.Denied:
		text = language.Text{
			English: "Policy forbids to end it, by " + e.By + ": " + e.Reason,
			Korean:  "정책에 따라 종료할 수 없습니다 (" + e.By + "): " + e.ReasonKo,
		}
		if e.ReasonKo == "" {
			text.Korean += e.Reason
		}
	case e.Automatic:
		text = language.Text{
			English: "Policy does not forbid to end it, and lets automation do so by " + e.By + ". Guards may still refuse.",
			Korean:  "정책상 종료할 수 있으며 자동 종료도 허용됩니다 (" + e.By + "). 다만 보호 규칙에 따라 거부될 수 있습니다.",
		}
	default:
		text = language.Text{
			English: "Policy does not forbid to end it, and does not let automation do so. Guards may still refuse.",
			Korean:  "정책상 종료할 수 있으나 자동 종료는 허용되지 않습니다. 또한 보호 규칙에 따라 거부될 수 있습니다.",
		}
	}
	return text.In(p.Language)
}
