package mongostore

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
)

func marshal(t testing.TB, v any) bson.Raw {
	t.Helper()
	raw, err := bson.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sample is a document that is right in every way.
func sample() bson.D {
	return bson.D{
		{Key: "_id", Value: "x"}, {Key: "name", Value: "zz"}, {Key: "platform", Value: "linux"}, {Key: "category", Value: "utility"},
		{Key: "description", Value: "d"}, {Key: "description_i18n", Value: bson.D{{Key: "en", Value: "d"}, {Key: "ko", Value: "설명"}}},
		{Key: "policy", Value: bson.D{{Key: "is_system", Value: false}, {Key: "terminatable", Value: true}, {Key: "reason", Value: ""}}},
		{Key: "paths", Value: bson.A{"/opt/**"}}, {Key: "expected_warnings", Value: bson.A{"RUNNING_AS_ROOT"}},
		{Key: "auto_terminate", Value: true}, {Key: "tags", Value: bson.A{"a"}},
		{Key: "created_at", Value: time.UnixMilli(1)}, {Key: "updated_at", Value: time.UnixMilli(2)},
	}
}

func TestDecodeAndEncodeAgree(t *testing.T) {
	e := Decode(marshal(t, sample()))
	if e.Invalid != nil || len(e.Problems) != 0 || e.Updated.UnixMilli() != 2 || !e.Document.AutoTerminate {
		t.Fatalf("%+v", e)
	}
	var without bson.D
	for _, element := range sample() {
		if !slices.Contains([]string{"_id", "created_at", "updated_at"}, element.Key) {
			without = append(without, element)
		}
	}
	if got, want := marshal(t, content(&e.Document)), marshal(t, without); string(got) != string(want) {
		t.Errorf("%v\n%v", got, want)
	}
	for _, d := range policy.Catalogue() {
		again := Decode(marshal(t, content(&d)))
		if again.Invalid != nil || again.Document.Digest() != d.Digest() {
			t.Errorf("%s/%s: %v", d.Platform, d.Name, again.Problems)
		}
	}
}

// TestTypesAreStrict gives each field a value of every other type.
func TestTypesAreStrict(t *testing.T) {
	values := map[string]any{
		"string": "text", "bool": true, "int": int32(1), "long": int64(1), "double": 1.5, "null": nil, "date": time.Now(),
		"array": bson.A{"x"}, "mixed": bson.A{"x", 1}, "document": bson.D{{Key: "en", Value: "x"}}, "id": bson.NewObjectID(), "regex": bson.Regex{Pattern: "x"},
	}
	allowed := map[string][]string{
		"name": {"string"}, "platform": {"string"}, "category": {"string"}, "description": {"string"}, "description_i18n": {"document"},
		"policy": {}, "policy.is_system": {"bool"}, "policy.terminatable": {"bool"}, "policy.reason": {"string"}, "policy.reason_i18n": {"document"},
		"paths": {"array"}, "expected_warnings": {"array"}, "auto_terminate": {"bool"}, "tags": {"array"}, "created_at": {"date"}, "updated_at": {"date"},
	}
	for field, right := range allowed {
		for kind, value := range values {
			if slices.Contains(right, kind) {
				continue
			}
			e := Decode(marshal(t, with(sample(), field, value)))
			if e.Invalid == nil {
				t.Errorf("%s of type %s was taken", field, kind)
				continue
			}
			if !strings.HasPrefix(e.Invalid.Problems[0].Field, field) {
				t.Errorf("%s of type %s: named %q", field, kind, e.Invalid.Problems[0].Field)
			}
			if field != "name" && e.Invalid.Name != "zz" || field != "platform" && e.Invalid.Platform != policy.Linux {
				t.Errorf("%s of type %s: protects %q on %q", field, kind, e.Invalid.Name, e.Invalid.Platform)
			}
		}
	}
}

// with changes or adds one field; "policy.x" is a field of policy.
func with(d bson.D, field string, value any) bson.D {
	d = slices.Clone(d)
	outer, inner, nested := strings.Cut(field, ".")
	for i := range d {
		if d[i].Key != outer {
			continue
		}
		if nested {
			value = with(d[i].Value.(bson.D), inner, value)
		}
		d[i].Value = value
		return d
	}
	return append(d, bson.E{Key: field, Value: value})
}

func TestMissingAndDoubleFields(t *testing.T) {
	for _, field := range []string{"name", "platform", "policy"} {
		d := slices.DeleteFunc(sample(), func(e bson.E) bool { return e.Key == field })
		if e := Decode(marshal(t, d)); e.Invalid == nil || e.Invalid.Problems[0].Field != field {
			t.Errorf("without %s: %+v", field, e.Problems)
		}
	}
	twice := append(sample(), bson.E{Key: "auto_terminate", Value: false})
	if e := Decode(marshal(t, twice)); e.Invalid == nil || e.Invalid.Problems[0].Text != "is there twice" {
		t.Errorf("twice: %+v", e.Problems)
	}
	raw := marshal(t, sample())
	if e := Decode(raw[:len(raw)-8]); e.Invalid == nil {
		t.Error("cut BSON was taken")
	}
	if e := Decode(nil); e.Invalid == nil {
		t.Error("no BSON was taken")
	}
}

func TestMalformedNamesProtectWhatIsMeant(t *testing.T) {
	for name, want := range map[string]string{"/usr/sbin/Zz": "zz", ` C:\Tools\ZZ.exe `: "zz.exe", "ZZ": "zz", " zz": "zz"} {
		e := Decode(marshal(t, with(sample(), "name", name)))
		if e.Invalid == nil || e.Invalid.Name != want {
			t.Errorf("%q: %+v, want it to protect %q", name, e.Invalid, want)
		}
	}
	for platform, want := range map[string]policy.Platform{"Linux": policy.Linux, "solaris": ""} {
		if e := Decode(marshal(t, with(sample(), "platform", platform))); e.Invalid == nil || e.Invalid.Platform != want {
			t.Errorf("%q: %+v, want platform %q", platform, e.Invalid, want)
		}
	}
}

func TestDecodeRule(t *testing.T) {
	rule := bson.D{
		{Key: "_id", Value: bson.NewObjectID()}, {Key: "enabled", Value: true}, {Key: "priority", Value: 3.0}, {Key: "effect", Value: "protect"},
		{Key: "match", Value: bson.D{{Key: "user", Value: "u"}, {Key: "min_memory_ratio", Value: int32(1)}}}, {Key: "reason", Value: "why"},
	}
	e := DecodeRule(marshal(t, rule))
	if e.Invalid != nil || e.Rule.Priority != 3 || e.Rule.Match.MinMemoryRatio != 1 || len(e.Rule.ID) != 24 {
		t.Errorf("%+v", e)
	}
	tests := []struct {
		field  string
		value  any
		remain *policy.Match // what still protects, nil for nothing
	}{
		{"enabled", 1, &policy.Match{User: "u", MinMemoryRatio: 1}},
		{"effect", "protekt", &policy.Match{User: "u", MinMemoryRatio: 1}},
		{"priority", "high", &policy.Match{User: "u", MinMemoryRatio: 1}},
		{"priority", 1.5, &policy.Match{User: "u", MinMemoryRatio: 1}},
		{"match.user", 7, &policy.Match{MinMemoryRatio: 1}},
		{"match.min_memory_ratio", 20, &policy.Match{User: "u"}},
		{"match.exe", "opt", &policy.Match{User: "u", MinMemoryRatio: 1}},
		{"match.warning", "ROOT", &policy.Match{User: "u", MinMemoryRatio: 1}},
		{"match.name", "Job", &policy.Match{Name: "job", User: "u", MinMemoryRatio: 1}},
		{"match.uesr", "x", &policy.Match{User: "u", MinMemoryRatio: 1}},
		{"match", "all", &policy.Match{}},
	}
	for _, test := range tests {
		e := DecodeRule(marshal(t, with(rule, test.field, test.value)))
		if e.Invalid == nil || e.Invalid.Rule == nil || e.Invalid.Rule.Match != *test.remain {
			t.Errorf("%s: %+v", test.field, e.Invalid)
		}
	}
	off := with(with(rule, "enabled", false), "match.user", 7)
	if e := DecodeRule(marshal(t, off)); e.Invalid == nil || e.Invalid.Rule != nil {
		t.Errorf("a rule that is off protects: %+v", e.Invalid)
	}
	automatic := with(with(rule, "effect", "auto_terminate"), "match.user", 7)
	if e := DecodeRule(marshal(t, automatic)); e.Invalid == nil || e.Invalid.Rule != nil {
		t.Errorf("a rule that was to grant protects: %+v", e.Invalid)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(marshal(f, sample())))
	f.Add([]byte(marshal(f, with(sample(), "policy.terminatable", 1))))
	f.Add([]byte{5, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, r := Decode(raw), DecodeRule(raw)
		for _, p := range append(e.Problems, r.Problems...) {
			if strings.ContainsAny(p.String(), "\x1b\n") {
				t.Errorf("%q", p)
			}
		}
		if e.Invalid == nil && (e.Document.Name == "" || policy.Grave(policy.Validate(&e.Document))) {
			t.Errorf("taken: %+v", e.Document)
		}
		if e.Invalid == nil { // what is not true must not be taken for it
			p, _ := bson.Raw(raw).Lookup("policy").DocumentOK()
			if b, ok := p.Lookup("terminatable").BooleanOK(); !ok || b != e.Document.Policy.Terminatable {
				t.Errorf("terminatable %v", e.Document.Policy.Terminatable)
			}
		}
		if e.Invalid != nil && e.Document.Name != "" {
			t.Error("a malformed document holds")
		}
		policy.Build(policy.Linux, Contents([]Entry{e}, []RuleEntry{r})).Denial(policy.Subject{Name: "zz"})
	})
}
