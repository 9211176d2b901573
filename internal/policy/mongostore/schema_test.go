package mongostore

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
)

// typeNames are the names of BSON types in schemas.
var typeNames = map[bson.Type]string{
	bson.TypeString: "string", bson.TypeBoolean: "bool", bson.TypeDateTime: "date", bson.TypeInt32: "int", bson.TypeInt64: "long",
	bson.TypeDouble: "double", bson.TypeArray: "array", bson.TypeEmbeddedDocument: "object",
}

// fits judges a value by a schema, as far as ours go. The server that would do
// it is not at hand.
func fits(t *testing.T, schema bson.Raw, value bson.RawValue) bool {
	t.Helper()
	elements, err := schema.Elements()
	if err != nil {
		t.Fatal(err)
	}
	for _, element := range elements {
		if !keyword(t, schema, element.Key(), element.Value(), value) {
			return false
		}
	}
	return true
}

func keyword(t *testing.T, schema bson.Raw, name string, want, value bson.RawValue) bool {
	switch name {
	case "bsonType":
		kinds := []bson.RawValue{want}
		if array, ok := want.ArrayOK(); ok {
			kinds, _ = array.Values()
		}
		return slices.ContainsFunc(kinds, func(k bson.RawValue) bool { return k.StringValue() == typeNames[value.Type] })
	case "required":
		names, _ := want.Array().Values()
		return !slices.ContainsFunc(names, func(n bson.RawValue) bool { return value.Document().Lookup(n.StringValue()).Type == 0 })
	case "enum":
		values, _ := want.Array().Values()
		return slices.ContainsFunc(values, func(v bson.RawValue) bool { return v.Equal(value) })
	case "pattern":
		return regexp.MustCompile(want.StringValue()).MatchString(value.StringValue())
	case "minLength":
		return int64(utf8.RuneCountInString(value.StringValue())) >= want.AsInt64()
	case "minProperties":
		elements, _ := value.Document().Elements()
		return int64(len(elements)) >= want.AsInt64()
	case "items":
		values, _ := value.Array().Values()
		return !slices.ContainsFunc(values, func(v bson.RawValue) bool { return !fits(t, want.Document(), v) })
	case "properties":
		return properties(t, want.Document(), value.Document(), nil)
	case "additionalProperties":
		known, _ := schema.Lookup("properties").DocumentOK()
		return properties(t, known, value.Document(), &want)
	}
	t.Fatalf("a schema uses %q", name)
	return false
}

// properties judges the known fields of a document, or the others by rest.
func properties(t *testing.T, known, document bson.Raw, rest *bson.RawValue) bool {
	elements, _ := document.Elements()
	for _, element := range elements {
		schema, ok := known.Lookup(element.Key()).DocumentOK()
		switch {
		case ok && rest == nil && !fits(t, schema, element.Value()):
			return false
		case ok || rest == nil:
		case rest.Type == bson.TypeBoolean:
			return false
		case !fits(t, rest.Document(), element.Value()):
			return false
		}
	}
	return true
}

// TestSchemasAgreeWithDecoding: what we write and what stock tools write passes,
// and what the schema refuses is malformed to us as well.
func TestSchemasAgreeWithDecoding(t *testing.T) {
	schema, rules := marshal(t, documentSchema), marshal(t, ruleSchema)
	passes := func(schema bson.Raw, d bson.D) bool {
		return fits(t, schema, bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: marshal(t, d)})
	}
	for _, d := range policy.Catalogue() {
		if !passes(schema, append(content(&d), seedElement(&d))) {
			t.Errorf("%s/%s is refused", d.Platform, d.Name)
		}
	}
	if !passes(schema, append(sample(), bson.E{Key: "owner", Value: 7})) {
		t.Error("a document with a field of an operator's own is refused")
	}
	fields := []string{
		"name", "platform", "category", "description", "description_i18n", "policy", "policy.is_system", "policy.terminatable",
		"policy.reason", "policy.reason_i18n", "paths", "expected_warnings", "auto_terminate", "tags", "created_at", "updated_at",
	}
	values := []any{1, int64(1), 1.5, nil, true, "text", "", "Text", "a/b", bson.A{1}, bson.A{}, bson.D{{Key: "x", Value: 1}}, bson.D{}}
	refused := 0
	for _, field := range fields {
		for _, value := range values {
			d := with(sample(), field, value)
			if passes(schema, d) {
				continue
			}
			refused++
			if e := Decode(marshal(t, d)); e.Invalid == nil {
				t.Errorf("%s = %v is refused by the schema and taken by us", field, value)
			}
		}
	}
	if refused < 100 {
		t.Errorf("only %d were refused", refused)
	}
	rule := bson.D{
		{Key: "enabled", Value: true}, {Key: "priority", Value: 1.0}, {Key: "effect", Value: "protect"}, {Key: "match", Value: bson.D{{Key: "user", Value: "u"}}},
	}
	if !passes(rules, rule) {
		t.Error("a good rule is refused")
	}
	for field, value := range map[string]any{"enabled": 1, "effect": "x", "match": bson.D{}, "match.nmae": "x", "match.name": "X", "priority": "1"} {
		d := with(rule, field, value)
		if passes(rules, d) || DecodeRule(marshal(t, d)).Invalid == nil {
			t.Errorf("rule with %s = %v is taken", field, value)
		}
	}
	if strings.Contains(schema.String(), "seed") {
		t.Error("the schema is about a field that only seeding writes")
	}
}
