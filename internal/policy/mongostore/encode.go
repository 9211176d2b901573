package mongostore

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
)

// content is what a document says, in the order of the design: without _id,
// dates and what seeding adds.
func content(d *policy.Document) bson.D {
	c := bson.D{
		{Key: "name", Value: d.Name}, {Key: "platform", Value: string(d.Platform)},
		{Key: "category", Value: d.Category}, {Key: "description", Value: d.Description},
	}
	c = appendTexts(c, "description_i18n", d.DescriptionI18n)
	c = append(c, bson.E{Key: "policy", Value: encodePolicy(&d.Policy)})
	c = appendList(c, "paths", d.Paths)
	c = appendList(c, "expected_warnings", d.ExpectedWarnings)
	if d.AutoTerminate {
		c = append(c, bson.E{Key: "auto_terminate", Value: true})
	}
	return appendList(c, "tags", d.Tags)
}

func encodePolicy(p *policy.Policy) bson.D {
	c := bson.D{
		{Key: "is_system", Value: p.IsSystem}, {Key: "terminatable", Value: p.Terminatable}, {Key: "reason", Value: p.Reason},
	}
	return appendTexts(c, "reason_i18n", p.ReasonI18n)
}

func appendList(c bson.D, name string, list []string) bson.D {
	if len(list) == 0 {
		return c
	}
	return append(c, bson.E{Key: name, Value: list})
}

// appendTexts adds a text by language, English first.
func appendTexts(c bson.D, name string, texts map[string]string) bson.D {
	var all bson.D
	for _, language := range [...]string{"en", "ko"} {
		if text, ok := texts[language]; ok {
			all = append(all, bson.E{Key: language, Value: text})
		}
	}
	if all == nil {
		return c
	}
	return append(c, bson.E{Key: name, Value: all})
}

// optionalFields are those that a document need not have.
var optionalFields = []string{"description_i18n", "paths", "expected_warnings", "auto_terminate", "tags"}

// update changes a document to say what d says, and leaves alone what d cannot
// say. inside tells whether fields of policy can be set one by one, so that
// unknown ones there stay as well.
func update(d *policy.Document, inside bool) (set, unset bson.D) {
	has := make(map[string]bool)
	for _, element := range content(d) {
		has[element.Key] = true
		if element.Key != "policy" || !inside {
			set = append(set, element)
			continue
		}
		for _, field := range encodePolicy(&d.Policy) {
			set = append(set, bson.E{Key: "policy." + field.Key, Value: field.Value})
		}
	}
	for _, name := range optionalFields {
		if !has[name] {
			unset = append(unset, bson.E{Key: name, Value: ""})
		}
	}
	if inside && len(d.Policy.ReasonI18n) == 0 {
		unset = append(unset, bson.E{Key: "policy.reason_i18n", Value: ""})
	}
	return set, unset
}
