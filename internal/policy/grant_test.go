package policy

import "testing"

func TestAutoTerminate(t *testing.T) {
	set := Build(Linux, Contents{
		Catalogue: []Document{doc(Linux, "both", free)},
		Store: []Document{
			doc(Linux, "worker", automatic), doc(Linux, "narrow", automatic, at("/opt/**")), doc(Linux, "bash", automatic),
			doc(Common, "both", automatic), doc(Linux, "hog", free), doc(Linux, "ruled", free), doc(Common, "denied"), doc(Linux, "denied", automatic),
		},
		Rules: []Rule{
			{ID: "a", Enabled: true, Effect: AutoTerminate, Match: Match{Name: "hog", MinMemoryRatio: 0.5, Warning: "HIGH_MEMORY_USAGE"}},
			{ID: "b", Enabled: true, Effect: AutoTerminate, Priority: 9, Match: Match{Exe: "/opt/**"}},
			{ID: "c", Enabled: true, Effect: Protect, Priority: -9, Match: Match{Exe: "/opt/**/ruled"}},
			{ID: "d", Enabled: true, Effect: AutoTerminate, Match: Match{User: "u"}},
		},
	})
	full := installed("/usr/bin/hog")
	full.MemoryRatio, full.Warnings = 0.6, []string{"RUNNING_AS_ROOT", "HIGH_MEMORY_USAGE"}
	half := full
	half.MemoryRatio = 0.4
	masked := installed("/usr/bin/x")
	masked.Comm, masked.User = "worker", "u"
	tests := []struct {
		name    string
		subject Subject
		want    bool
	}{
		{"trusted name", installed("/usr/bin/worker"), true},
		{"forged name", homemade("/home/u/worker"), false},
		{"a name that is only claimed", masked, false},
		{"outside of the paths", installed("/usr/bin/narrow"), false},
		{"interpreter", installed("/usr/bin/bash"), false},
		{"the platform's document goes before the common one", installed("/usr/bin/both"), false},
		{"what any document denies", installed("/usr/bin/denied"), false},
		{"rule whose conditions hold", full, true},
		{"rule whose condition does not hold", half, false},
		{"rule by path", installed("/opt/a/tool"), true},
		{"protection goes before, whatever the priorities", installed("/opt/a/ruled"), false},
		{"rule by path, forged", homemade("/opt/a/tool"), false},
		{"interpreter by path", installed("/opt/a/python3"), false},
	}
	for _, test := range tests {
		if got := set.AutoTerminate(test.subject) != nil; got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestRuleConditions(t *testing.T) {
	base := Subject{
		Name: "tool", Exe: "/opt/a/tool", Trusted: true, Comm: "tool", User: "alice", Unit: "a.service", UserUnit: "b.service",
		Warnings: []string{"PUBLIC_PORT(22)", "RUNNING_AS_ROOT"}, MemoryRatio: 0.25, Script: "/srv/job.py",
	}
	tests := []struct {
		match Match
		want  bool
	}{
		{Match{Name: "tool"}, true},
		{Match{Name: "tools"}, false},
		{Match{Name: "job.py"}, true},
		{Match{Exe: "/opt/*/tool"}, true},
		{Match{Exe: "/srv/**"}, true},
		{Match{Exe: "/usr/**"}, false},
		{Match{Exe: "not a path"}, false},
		{Match{User: "alice"}, true},
		{Match{User: "root"}, false},
		{Match{Unit: "a.service"}, true},
		{Match{Unit: "b.service"}, true},
		{Match{Unit: "c.service"}, false},
		{Match{Warning: "PUBLIC_PORT"}, true},
		{Match{Warning: "PUBLIC_PORT(22)"}, true},
		{Match{Warning: "PUBLIC_PORT(23)"}, false},
		{Match{MinMemoryRatio: 0.25}, true},
		{Match{MinMemoryRatio: 0.26}, false},
		{Match{Name: "tool", User: "root"}, false},
	}
	for _, test := range tests {
		set := Build(Linux, Contents{Rules: []Rule{{ID: "r", Enabled: true, Effect: Protect, Match: test.match}}})
		if got := set.Denial(base) != nil; got != test.want {
			t.Errorf("%+v: %v, want %v", test.match, got, test.want)
		}
	}
}

func TestValidateRule(t *testing.T) {
	good := Rule{ID: "r", Enabled: true, Effect: Protect, Reason: "why", Match: Match{Name: "x"}}
	if problems := ValidateRule(&good); len(problems) != 0 {
		t.Errorf("a good rule: %v", problems)
	}
	tests := []struct {
		field  string
		change func(*Rule)
	}{
		{"match", func(r *Rule) { r.Match = Match{} }},
		{"match", func(r *Rule) { r.Effect, r.Match = AutoTerminate, Match{User: "u"} }},
		{"match.name", func(r *Rule) { r.Match.Name = "X" }},
		{"match.exe", func(r *Rule) { r.Match.Exe = "x/**" }},
		{"match.warning", func(r *Rule) { r.Match.Warning = "PUBLIC_PORT(0)" }},
		{"match.min_memory_ratio", func(r *Rule) { r.Match.MinMemoryRatio = 2 }},
		{"effect", func(r *Rule) { r.Effect = "allow" }},
		{"reason", func(r *Rule) { r.Reason = "" }},
	}
	for _, test := range tests {
		r := good
		test.change(&r)
		problems := ValidateRule(&r)
		if len(problems) != 1 || problems[0].Field != test.field || problems[0].Document != "rule r" {
			t.Errorf("%s: %v", test.field, problems)
		}
	}
}
