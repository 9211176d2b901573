package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"server-monitor/internal/process"
)

// Problem is one thing that is wrong with a document or rule.
type Problem struct {
	// Document says which one: "linux/nginx", "rule keep-backups", or its _id
	// where it has no name that can be read. It is safe to show.
	Document string `json:"document"`
	// Field is the path of the field, "policy.terminatable" or "paths[2]".
	Field string `json:"field"`
	// Text says what is wrong. It is safe to show.
	Text string `json:"text"`
	// Grave tells a problem that makes a document malformed, so that it counts
	// as protecting its name; others are advice.
	Grave bool `json:"grave"`
}

// String is the problem in one line.
func (p Problem) String() string { return p.Document + ": " + p.Field + ": " + p.Text }

// Grave tells whether any of the problems makes its document malformed.
func Grave(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Grave })
}

// Validate says all that is wrong with a document.
func Validate(d *Document) []Problem {
	v := validation{document: process.Printable(string(d.Platform) + "/" + d.Name)}
	v.name("name", d.Name)
	if !slices.Contains(Platforms, d.Platform) {
		v.grave("platform", "is %q: want linux, windows or common", d.Platform)
	}
	if !slices.Contains(Categories, d.Category) {
		v.advice("category", "is %q, which is none of the known categories", d.Category)
	}
	v.line("description", d.Description)
	v.texts("description_i18n", d.DescriptionI18n, d.Description)
	v.policy(d)
	for i, pattern := range d.Paths {
		if _, err := CompileGlob(pattern, d.Platform == Windows); err != nil {
			v.grave(fmt.Sprintf("paths[%d]", i), "%v", err)
		}
	}
	for i, warning := range d.ExpectedWarnings {
		if _, _, ok := parseWarning(warning); !ok {
			v.grave(fmt.Sprintf("expected_warnings[%d]", i), "is %q: want CODE or CODE(subject) of a known warning", warning)
		}
	}
	v.unique("paths", d.Paths)
	v.unique("expected_warnings", d.ExpectedWarnings)
	v.unique("tags", d.Tags)
	if !d.CreatedAt.IsZero() && !d.UpdatedAt.IsZero() && d.UpdatedAt.Before(d.CreatedAt) {
		v.advice("updated_at", "is before created_at")
	}
	return v.problems
}

// ValidateAll says all that is wrong with documents that belong together, two
// of the same name and platform among it.
func ValidateAll(documents []Document) []Problem {
	var problems []Problem
	seen := make(map[key]bool, len(documents))
	for i := range documents {
		d := &documents[i]
		problems = append(problems, Validate(d)...)
		k := key{strings.ToLower(d.Name), d.Platform}
		if seen[k] {
			problems = append(problems, duplicateProblem(k))
		}
		seen[k] = true
	}
	return problems
}

// duplicateProblem says that a name has more than one document.
func duplicateProblem(k key) Problem {
	return Problem{
		Document: process.Printable(string(k.platform) + "/" + k.name), Field: "name",
		Text: "is a duplicate: there is another document of this name and platform", Grave: true,
	}
}

// validation gathers the problems of one document.
type validation struct {
	document string
	problems []Problem
}

func (v *validation) add(grave bool, field, format string, args ...any) {
	text := process.Printable(fmt.Sprintf(format, args...))
	v.problems = append(v.problems, Problem{Document: v.document, Field: field, Text: text, Grave: grave})
}

func (v *validation) grave(field, format string, args ...any)  { v.add(true, field, format, args...) }
func (v *validation) advice(field, format string, args ...any) { v.add(false, field, format, args...) }

// maxName bounds a name: NAME_MAX, what a file system takes.
const maxName = 255

// name checks the name that a document or a rule asks for.
func (v *validation) name(field, name string) {
	switch {
	case name == "":
		v.grave(field, "is empty")
	case len(name) > maxName:
		v.grave(field, "is longer than %d bytes", maxName)
	case name != strings.ToLower(name):
		v.grave(field, "is %q: names are in lower case", name)
	case name != strings.TrimSpace(name):
		v.grave(field, "is %q: it begins or ends with a space", name)
	case strings.ContainsAny(name, `/\`):
		v.grave(field, "is %q: want the base name of the executable, without folders", name)
	case name != process.Printable(name):
		v.grave(field, "is %q: it holds characters that cannot be seen", name)
	}
}

// maxLine bounds what is shown as one line, in bytes.
const maxLine = 1000

// line checks a text that is shown in one line.
func (v *validation) line(field, text string) {
	switch {
	case strings.TrimSpace(text) == "":
		v.advice(field, "is empty")
	case len(text) > maxLine:
		v.advice(field, "is longer than %d bytes", maxLine)
	case text != process.Printable(text):
		v.advice(field, "is not one line of visible text")
	}
}

// texts checks a text by language; English is that of the field without one.
func (v *validation) texts(field string, texts map[string]string, english string) {
	for _, l := range sortedKeys(texts) {
		if l != "en" && l != "ko" {
			v.advice(field+"."+process.Printable(l), "is in a language that nobody asks for: want en or ko")
			continue
		}
		v.line(field+"."+l, texts[l])
	}
	if en, ok := texts["en"]; ok && en != english {
		v.advice(field+".en", "differs from the text without a language")
	}
}

// policy checks the part that forbids.
func (v *validation) policy(d *Document) {
	p := &d.Policy
	if p.IsSystem && p.Terminatable {
		v.grave("policy.terminatable", "is true for a process with is_system: the machine needs it")
	}
	if d.AutoTerminate && d.Denies() {
		v.grave("auto_terminate", "is true for a process that is not terminatable")
	}
	if d.Denies() || p.Reason != "" {
		v.line("policy.reason", p.Reason)
	}
	v.texts("policy.reason_i18n", p.ReasonI18n, p.Reason)
}

// unique names the second of two equal values.
func (v *validation) unique(field string, values []string) {
	seen := make(map[string]bool, len(values))
	for i, value := range values {
		if seen[value] {
			v.advice(fmt.Sprintf("%s[%d]", field, i), "is %q once more", value)
		}
		seen[value] = true
	}
}

func sortedKeys(m map[string]string) []string {
	return slices.Sorted(maps.Keys(m))
}
