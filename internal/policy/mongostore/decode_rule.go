package mongostore

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
)

// The fields of process_rules that are read.
var (
	ruleFields = names("_id", "enabled", "priority", "match", "effect", "reason", "reason_i18n",
		"name", "description", "tags", "created_at", "updated_at")
	matchFields = names("name", "exe", "user", "unit", "warning", "min_memory_ratio")
)

// DecodeRule reads one document of process_rules.
func DecodeRule(raw bson.Raw) RuleEntry {
	id := idOf(raw)
	var problems []policy.Problem
	f := readFields(raw, func() string { return policy.RuleSubject(id.String()) }, &problems)
	r := policy.Rule{
		ID: id.String(), Enabled: f.boolean("enabled", true), Priority: f.integer("priority"),
		Effect: policy.RuleEffect(f.text("effect", true)), Reason: f.text("reason", false), ReasonI18n: f.byLanguage("reason_i18n"),
	}
	if m := f.within("match", true); m != nil {
		r.Match = policy.Match{
			Name: m.text("name", false), Exe: m.text("exe", false), User: m.text("user", false), Unit: m.text("unit", false),
			Warning: m.text("warning", false), MinMemoryRatio: m.number("min_memory_ratio"),
		}
		// A condition that is not known would be taken for none, and the rule
		// would hold for more than was meant.
		m.unknown(true, matchFields)
	}
	f.unknown(false, ruleFields)
	if !policy.Grave(problems) {
		problems = append(problems, policy.ValidateRule(&r)...)
	}
	e := RuleEntry{ID: id, Rule: r, Problems: problems}
	if policy.Grave(problems) {
		e.Invalid = &policy.Invalid{
			Collection: policy.ProcessRules, ID: r.ID, Rule: remains(raw, r, problems), Problems: onlyGrave(problems),
		}
		e.Rule = policy.Rule{}
	}
	return e
}

// remains is what a malformed rule still protects: what meets the conditions
// that could be read. It protects nothing where it is certain that it never
// was to.
func remains(raw bson.Raw, r policy.Rule, problems []policy.Problem) *policy.Rule {
	certain := func(field string) bool {
		return raw.Validate() == nil && !slices.ContainsFunc(problems, func(p policy.Problem) bool { return p.Field == field })
	}
	if certain("enabled") && !r.Enabled || certain("effect") && r.Effect == policy.AutoTerminate {
		return nil
	}
	kept := policy.Rule{ID: r.ID, Enabled: true, Effect: policy.Protect, Match: r.Match}
	m := &kept.Match
	m.Name = claimedName(m.Name)
	if !validAlone(policy.Match{Exe: m.Exe}) {
		m.Exe = ""
	}
	if !validAlone(policy.Match{Warning: m.Warning}) {
		m.Warning = ""
	}
	if !validAlone(policy.Match{MinMemoryRatio: m.MinMemoryRatio}) {
		m.MinMemoryRatio = 0
	}
	return &kept
}

// validAlone tells whether a condition could be one of a rule.
func validAlone(m policy.Match) bool {
	r := policy.Rule{Effect: policy.Protect, Match: m}
	return !policy.Grave(policy.ValidateRule(&r))
}
