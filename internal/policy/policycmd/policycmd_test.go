package policycmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
)

// out runs a command and returns what it prints.
func out(t *testing.T, p Printer, command func(*Printer) error) string {
	t.Helper()
	var b bytes.Buffer
	p.W = &b
	if err := command(&p); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return b.String()
}

func sampleSet() *policy.Set {
	protects := policy.Document{
		Name: "backupd", Platform: policy.Linux, Category: "backup", Description: "Saves the data",
		DescriptionI18n: map[string]string{"en": "Saves the data", "ko": "데이터를 백업"}, Tags: []string{"ours"}, Paths: []string{"/usr/bin/*"},
		Policy: policy.Policy{Reason: "keep it", ReasonI18n: map[string]string{"ko": "유지해야 합니다"}},
	}
	free := policy.Document{Name: "job", Platform: policy.Common, Category: "utility", Description: "A job", Policy: policy.Policy{Terminatable: true}, AutoTerminate: true}
	return policy.Build(policy.Linux, policy.Contents{
		Catalogue: []policy.Document{protects, free}, Store: []policy.Document{free},
		Rules:   []policy.Rule{{ID: "r1", Enabled: true, Priority: 3, Effect: policy.Protect, Match: policy.Match{User: "bob", MinMemoryRatio: 0.5}, Reason: "his"}},
		Invalid: []policy.Invalid{{Collection: policy.KnownProcesses, ID: "65", Name: "x", Problems: []policy.Problem{{Document: "linux/x", Field: "policy", Text: "is missing", Grave: true}}}},
	})
}

func TestList(t *testing.T) {
	list := func(p Printer, f Filter) string {
		return out(t, p, func(p *Printer) error { return p.List(sampleSet(), f) })
	}
	want := strings.Join([]string{
		"NAME     PLATFORM  SOURCE     PROTECTED  CATEGORY  DESCRIPTION",
		"backupd  linux     catalogue  yes        backup    Saves the data",
		"job      common    mongodb    no         utility   A job",
		"malformed: known_processes 65: linux/x: policy: is missing",
		"2 documents, policy version " + sampleSet().Version(), "",
	}, "\n")
	if got := list(Printer{}, Filter{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := list(Printer{Language: language.Korean}, Filter{Tag: "ours"}); !strings.Contains(got, "데이터를 백업") || strings.Contains(got, "job") {
		t.Error(got)
	}
	for _, f := range []Filter{{Platform: policy.Linux}, {Category: "backup"}, {Source: policy.Embedded}, {Name: "BACK"}} {
		if got := list(Printer{}, f); !strings.Contains(got, "backupd") || strings.Contains(got, "job") {
			t.Errorf("%+v:\n%s", f, got)
		}
	}
	var parsed struct {
		Version   string
		Documents []struct {
			Name, Source string
			Policy       policy.Policy
		}
		Invalid []policy.Invalid
	}
	if err := json.Unmarshal([]byte(list(Printer{JSON: true}, Filter{})), &parsed); err != nil {
		t.Fatal(err)
	}
	if len(parsed.Documents) != 2 || parsed.Documents[1].Source != "mongodb" || len(parsed.Invalid) != 1 {
		t.Errorf("%+v", parsed)
	}
}

func TestRules(t *testing.T) {
	got := out(t, Printer{}, func(p *Printer) error { return p.Rules(sampleSet()) })
	if !strings.Contains(got, "r1  3         protect  user=bob memory>=0.5  his") {
		t.Error(got)
	}
	got = out(t, Printer{JSON: true}, func(p *Printer) error { return p.Rules(policy.NewSet(policy.Linux)) })
	if strings.TrimSpace(got) != "[]" {
		t.Error(got)
	}
}

func TestShow(t *testing.T) {
	show := func(p Printer, target string) string {
		return out(t, p, func(p *Printer) error { return p.Show(sampleSet(), target) })
	}
	got := show(Printer{Language: language.Korean}, "backupd")
	for _, want := range []string{"linux/backupd (catalogue)", "유지해야 합니다", "/usr/bin/*"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if got := show(Printer{}, "common/JOB"); strings.Count(got, "document") != 2 || strings.Index(got, "mongodb") > strings.Index(got, "catalogue") {
		t.Error(got)
	}
	var b bytes.Buffer
	p := Printer{W: &b}
	for target, want := range map[string]error{"nothing": ErrNotFound, "linux/job": ErrNotFound, "mars/job": nil} {
		err := p.Show(sampleSet(), target)
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestCheck(t *testing.T) {
	check := func(p Printer, s policy.Subject, state policy.State) string {
		set := sampleSet()
		return out(t, p, func(p *Printer) error {
			return p.Check(Checked{
				PID: 7, Identity: "7-1-aaaaaaaa", Subject: s, Described: set.Find(s.Name, s.Exe), Answer: policy.Consultation{State: state, Set: set},
			})
		})
	}
	backup := policy.Subject{Name: "backupd", Exe: "/usr/bin/backupd", Trusted: true, Comm: "backupd", User: "bob"}
	got := check(Printer{}, backup, policy.Fresh)
	for _, want := range []string{
		"linux/backupd  catalogue  yes        yes      forbids", "r1    protect  no     it has 0.000 of the memory",
		"Policy forbids to end it, by linux/backupd: keep it",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if got := check(Printer{Language: language.Korean}, backup, policy.Fresh); !strings.Contains(got, "유지해야 합니다") {
		t.Error(got)
	}
	if got := check(Printer{}, backup, policy.NeverReached); !strings.Contains(got, "never reached") {
		t.Error(got)
	}
	job := policy.Subject{Name: "job", Exe: "/opt/job", Trusted: true}
	if got := check(Printer{}, job, policy.Fresh); !strings.Contains(got, "lets automation do so by common/job") {
		t.Error(got)
	}
	if got := check(Printer{}, policy.Subject{Name: "z\x1b[2J", Exe: "/z\n"}, policy.Fresh); strings.ContainsAny(got, "\x1b") || !strings.Contains(got, "does not forbid") {
		t.Errorf("%q", got)
	}
	var parsed struct {
		PID       int
		State     string `json:"policy_state"`
		Denied    bool
		Documents []policy.DocumentUse
	}
	if err := json.Unmarshal([]byte(check(Printer{JSON: true}, backup, policy.Fresh)), &parsed); err != nil || parsed.PID != 7 || !parsed.Denied || parsed.State != "fresh" || len(parsed.Documents) != 1 {
		t.Errorf("%+v, %v", parsed, err)
	}
}

func TestValidateFiles(t *testing.T) {
	good := `{"name":"a","platform":"linux","category":"utility","description":"d","policy":{"is_system":false,"terminatable":true}}`
	bad := strings.Replace(good, "true", "1", 1)
	var b bytes.Buffer
	p := Printer{W: &b}
	if err := p.ValidateFiles([]File{{"one.json", strings.NewReader("[" + good + "]")}}, policy.KnownProcesses); err != nil || !strings.Contains(b.String(), "1 documents and rules: 0 malformed") {
		t.Errorf("%v\n%s", err, b.String())
	}
	b.Reset()
	files := []File{{"one.json", strings.NewReader(good)}, {"two.json", strings.NewReader(good + "\n" + bad)}}
	if err := p.ValidateFiles(files, policy.KnownProcesses); !errors.Is(err, ErrProblems) {
		t.Errorf("%v", err)
	}
	for _, want := range []string{
		"two.json: known_processes[1]: malformed: linux/a: policy.terminatable: is of type 32-bit integer: want a bool",
		"two.json: known_processes[0]: malformed: linux/a: name: is a duplicate",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if err := p.ValidateFiles([]File{{"x.json", strings.NewReader("{")}}, policy.KnownProcesses); err == nil || !strings.Contains(err.Error(), "x.json") {
		t.Errorf("%v", err)
	}
}

func TestEditsKeepTextsTogether(t *testing.T) {
	text, yes, no := func(s string) *string { return &s }, true, false
	base := policy.Document{
		Name: "x", Platform: policy.Linux, Description: "old", DescriptionI18n: map[string]string{"en": "old", "ko": "옛"},
		Policy: policy.Policy{IsSystem: true, Reason: "r"}, AutoTerminate: false,
	}
	d := copyOf(&base)
	(&Edit{Description: text("new"), Terminatable: &yes, AutoTerminate: &yes}).apply(d)
	if d.Description != "new" || d.DescriptionI18n["en"] != "new" || d.DescriptionI18n["ko"] != "" || d.Policy.IsSystem || !d.AutoTerminate {
		t.Errorf("%+v", d)
	}
	if base.DescriptionI18n["ko"] != "옛" {
		t.Error("the original was changed")
	}
	(&Edit{Terminatable: &no, DescriptionKo: text("새"), ReasonKo: text("이유")}).apply(d)
	if d.AutoTerminate || d.DescriptionI18n["ko"] != "새" || d.Policy.ReasonI18n["ko"] != "이유" || policy.Grave(policy.Validate(d)) {
		t.Errorf("%+v: %v", d, policy.Validate(d))
	}
}

func TestCommandsNeedAStore(t *testing.T) {
	p := Printer{W: new(bytes.Buffer)}
	for name, err := range map[string]error{
		"seed": p.Seed(t.Context(), nil, nil, false), "set": p.Set(t.Context(), nil, "linux/x", Edit{}), "delete": p.Delete(t.Context(), nil, "linux/x"),
		"export": p.Export(t.Context(), nil), "import": p.Import(t.Context(), nil, nil, "", false), "validate": p.ValidateStore(t.Context(), nil),
	} {
		if !errors.Is(err, ErrNoStore) {
			t.Errorf("%s: %v", name, err)
		}
	}
	set, err := Load(t.Context(), policy.Linux, nil)
	if err != nil || set.Stats().Documents[policy.Embedded] != len(policy.Catalogue()) {
		t.Errorf("without a store the catalogue is not all: %v", err)
	}
}
