package mongostore

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// The fields that are read. seed is written by [Store.Seed].
var (
	documentFields = names("_id", "name", "platform", "category", "description", "description_i18n", "policy", "paths",
		"expected_warnings", "auto_terminate", "tags", "created_at", "updated_at", seedField)
	policyFields = names("is_system", "terminatable", "reason", "reason_i18n")
)

// Decode reads one document of known_processes.
func Decode(raw bson.Raw) Entry {
	var problems []policy.Problem
	f := readFields(raw, func() string { return subject(raw) }, &problems)
	d := policy.Document{
		Name: f.text("name", true), Platform: policy.Platform(f.text("platform", true)),
		Category: f.text("category", false), Description: f.text("description", false),
		DescriptionI18n: f.byLanguage("description_i18n"), Paths: f.texts("paths"),
		ExpectedWarnings: f.texts("expected_warnings"), AutoTerminate: f.boolean("auto_terminate", false),
		Tags: f.texts("tags"), CreatedAt: f.date("created_at"), UpdatedAt: f.date("updated_at"),
	}
	if p := f.within("policy", true); p != nil {
		d.Policy = policy.Policy{
			IsSystem: p.boolean("is_system", true), Terminatable: p.boolean("terminatable", true),
			Reason: p.text("reason", false), ReasonI18n: p.byLanguage("reason_i18n"),
		}
		p.unknown(false, policyFields)
	}
	f.unknown(false, documentFields)
	if !policy.Grave(problems) { // else what is missing would be named twice
		problems = append(problems, policy.Validate(&d)...)
	}
	e := Entry{Stamp: Stamp{ID: idOf(raw), Updated: d.UpdatedAt}, Document: d, Problems: problems}
	if policy.Grave(problems) {
		e.Invalid = &policy.Invalid{
			Collection: policy.KnownProcesses, ID: e.ID.String(), Name: claimedName(d.Name),
			Platform: claimedPlatform(d.Platform), Problems: onlyGrave(problems),
		}
		e.Document = policy.Document{}
	} else {
		e.Document = policy.Prepare(&d)
	}
	return e
}

// subject names a document for people, by its _id where it has no name. One of a
// file may have neither.
func subject(raw bson.Raw) string {
	name, ok := raw.Lookup("name").StringValueOK()
	if !ok || name == "" {
		if id := idOf(raw).String(); id != "" {
			return "_id " + id
		}
		return "document without a name"
	}
	platform, ok := raw.Lookup("platform").StringValueOK()
	if !ok {
		platform = "?"
	}
	return process.Printable(platform + "/" + name)
}

// claimedName is the name that a malformed document protects: as somebody who
// wrote it in capitals or with its folder must have meant it.
func claimedName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return strings.ToLower(strings.TrimSpace(name))
}

// claimedPlatform is the platform of a malformed document, none where it could
// not be read: then it protects on every one.
func claimedPlatform(p policy.Platform) policy.Platform {
	p = policy.Platform(strings.ToLower(strings.TrimSpace(string(p))))
	if slices.Contains(policy.Platforms, p) {
		return p
	}
	return ""
}

// onlyGrave are the problems that make a document malformed.
func onlyGrave(problems []policy.Problem) []policy.Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p policy.Problem) bool { return !p.Grave })
}
