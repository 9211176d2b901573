package policy

import (
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	good := doc(Linux, "x", at("/usr/bin/x"), func(d *Document) {
		d.ExpectedWarnings = []string{"RUNNING_AS_ROOT", "PUBLIC_PORT", "PUBLIC_PORT(22)", "SYSTEM_PORT(87)", "SUSPICIOUS_PATH(/srv/x)", "MASQUERADE(y)"}
		d.DescriptionI18n = map[string]string{"en": d.Description, "ko": "시험 프로그램"}
		d.Tags = []string{"a", "b"}
	})
	if problems := Validate(&good); len(problems) != 0 {
		t.Errorf("a good document: %v", problems)
	}
	tests := []struct {
		field  string
		grave  bool
		change func(*Document)
	}{
		{"name", true, func(d *Document) { d.Name = "" }},
		{"name", true, func(d *Document) { d.Name = "X" }},
		{"name", true, func(d *Document) { d.Name = "a/x" }},
		{"name", true, func(d *Document) { d.Name = " x" }},
		{"name", true, func(d *Document) { d.Name = "x\x1b" }},
		{"name", true, func(d *Document) { d.Name = strings.Repeat("x", 256) }},
		{"platform", true, func(d *Document) { d.Platform = "macos" }},
		{"category", false, func(d *Document) { d.Category = "mine" }},
		{"description", false, func(d *Document) { d.Description, d.DescriptionI18n = " ", nil }},
		{"description", false, func(d *Document) { d.Description, d.DescriptionI18n = "two\nlines", nil }},
		{"description_i18n.en", false, func(d *Document) { d.DescriptionI18n = map[string]string{"en": "else"} }},
		{"description_i18n.de", false, func(d *Document) { d.DescriptionI18n = map[string]string{"de": "x"} }},
		{"policy.reason", false, func(d *Document) { d.Policy.Reason = "" }},
		{"policy.terminatable", true, func(d *Document) { d.Policy.IsSystem, d.Policy.Terminatable = true, true }},
		{"auto_terminate", true, func(d *Document) { d.AutoTerminate = true }},
		{"paths[1]", true, func(d *Document) { d.Paths = []string{"/x", "x"} }},
		{"paths[1]", false, func(d *Document) { d.Paths = []string{"/x", "/x"} }},
		{"expected_warnings[0]", true, func(d *Document) { d.ExpectedWarnings = []string{"ROOT"} }},
		{"expected_warnings[0]", true, func(d *Document) { d.ExpectedWarnings = []string{"PUBLIC_PORT(080)"} }},
		{"expected_warnings[0]", true, func(d *Document) { d.ExpectedWarnings = []string{"PUBLIC_PORT(65536)"} }},
		{"expected_warnings[0]", true, func(d *Document) { d.ExpectedWarnings = []string{"SYSTEM_PORT(1024)"} }},
		{"expected_warnings[0]", true, func(d *Document) { d.ExpectedWarnings = []string{"PUBLIC_PORT(22"} }},
		{"expected_warnings[0]", true, func(d *Document) { d.ExpectedWarnings = []string{"RUNNING_AS_ROOT(x)"} }},
		{"expected_warnings[0]", true, func(d *Document) { d.ExpectedWarnings = []string{"SUSPICIOUS_PATH(tmp)"} }},
		{"tags[1]", false, func(d *Document) { d.Tags = []string{"a", "a"} }},
		{"updated_at", false, func(d *Document) { d.CreatedAt, d.UpdatedAt = time.Unix(2, 0), time.Unix(1, 0) }},
	}
	for _, test := range tests {
		d := good
		test.change(&d)
		problems := Validate(&d)
		if len(problems) != 1 || problems[0].Field != test.field || problems[0].Grave != test.grave || Grave(problems) != test.grave {
			t.Errorf("%s: %+v", test.field, problems)
		}
		for _, p := range problems {
			if strings.ContainsAny(p.String(), "\x1b\n") {
				t.Errorf("%q is not safe to show", p)
			}
		}
	}
}

func TestValidateAllNamesDuplicates(t *testing.T) {
	problems := ValidateAll([]Document{doc(Linux, "x"), doc(Common, "x"), doc(Linux, "x")})
	if len(problems) != 1 || problems[0].Field != "name" || problems[0].Document != "linux/x" {
		t.Errorf("%v", problems)
	}
}
