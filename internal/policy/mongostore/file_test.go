package mongostore

import (
	"bytes"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
)

func TestReadItems(t *testing.T) {
	one := `{"name": "a", "platform": "linux"}`
	tests := []struct {
		what, text string
		places     string
		bad        string
	}{
		{"one document", one, "known_processes[0]", ""},
		{"mongoexport", one + "\n" + one, "known_processes[0] known_processes[1]", ""},
		{"array", "[" + one + "," + one + "]", "known_processes[0] known_processes[1]", ""},
		{"both", `{"known_processes": [` + one + `], "process_rules": [{"enabled": true}]}`, "known_processes[0] process_rules[0]", ""},
		{"rules alone", `{"process_rules": []}`, "", ""},
		{"nothing", "", "", ""},
		{"no JSON", "{", "", "byte"},
		{"a number", "3", "", "want documents"},
		{"no array", `{"known_processes": 3}`, "", "want an array"},
		{"no document", `[3]`, "", "known_processes[0]"},
		{"bad extended JSON", `[` + one + `,{"_id": {"$oid": "zz"}}]`, "", "known_processes[1]"},
	}
	for _, test := range tests {
		items, err := ReadItems(strings.NewReader(test.text), policy.KnownProcesses)
		if test.bad != "" {
			if err == nil || !strings.Contains(err.Error(), test.bad) {
				t.Errorf("%s: %v", test.what, err)
			}
			continue
		}
		var places []string
		for _, item := range items {
			places = append(places, item.Place)
		}
		if err != nil || strings.Join(places, " ") != test.places {
			t.Errorf("%s: %q, %v", test.what, places, err)
		}
	}
}

func TestWrittenDocumentsKeepTheirTypes(t *testing.T) {
	documents := []bson.D{
		sample(),
		{{Key: "_id", Value: bson.NewObjectID()}, {Key: "int", Value: int32(5)}, {Key: "long", Value: int64(5)}, {Key: "double", Value: 5.0}},
		{{Key: "null", Value: nil}, {Key: "regex", Value: bson.Regex{Pattern: "x", Options: "i"}}, {Key: "binary", Value: bson.Binary{Data: []byte{1, 2}}}},
	}
	for _, d := range documents {
		raw := marshal(t, d)
		var b bytes.Buffer
		if err := writeDocument(&b, raw); err != nil {
			t.Fatal(err)
		}
		item, err := readItem(b.Bytes(), "", 0)
		if err != nil || !bytes.Equal(item.Raw, raw) {
			t.Errorf("%s: %v", b.String(), err)
		}
	}
	var b bytes.Buffer
	if err := writeDocument(&b, marshal(t, sample())); err != nil || !strings.Contains(b.String(), `"1970-01-01T00:00:00.001Z"`) {
		t.Errorf("a date that people cannot read: %s", b.String())
	}
}

func FuzzReadItems(f *testing.F) {
	f.Add(`{"known_processes":[{"name":"a","policy":{"terminatable":true}}]}`)
	f.Add(`[{"_id":{"$oid":"0123456789abcdef01234567"}}]`)
	f.Fuzz(func(_ *testing.T, text string) {
		items, err := ReadItems(strings.NewReader(text), policy.KnownProcesses)
		if err != nil {
			return
		}
		for i := range items {
			items[i].Problems()
			items[i].key()
		}
	})
}
