package policycmd

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"server-monitor/internal/policy"
)

// TestValidateNameless: a document of a file may have neither name nor _id, and is
// found by its place.
func TestValidateNameless(t *testing.T) {
	for _, c := range []struct{ collection, text, want string }{
		{policy.KnownProcesses, `[{"platform":"linux","category":"utility","description":"x"}]`, "malformed: document without a name: name: "},
		{policy.KnownProcesses, `[{"_id":"a","platform":"linux"}]`, "malformed: _id a: name: "},
		{policy.ProcessRules, `[{"match":{"user":"bob"}}]`, "malformed: rule without an _id: effect: "},
	} {
		var b bytes.Buffer
		p := Printer{W: &b}
		err := p.ValidateFiles([]File{{Name: "f.json", Reader: strings.NewReader(c.text)}}, c.collection)
		if !errors.Is(err, ErrProblems) || !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: %v, want %q in\n%s", c.text, err, c.want, b.String())
		}
	}
}
