package policy

import (
	"strings"
	"testing"
)

// doc makes a document that protects its name.
func doc(platform Platform, name string, change ...func(*Document)) Document {
	d := Document{
		Name: name, Platform: platform, Category: "utility", Description: "test program",
		Policy: Policy{Terminatable: false, Reason: "test"},
	}
	for _, f := range change {
		f(&d)
	}
	return d
}

func free(d *Document)      { d.Policy.Terminatable, d.Policy.Reason = true, "" }
func automatic(d *Document) { free(d); d.AutoTerminate = true }

func at(paths ...string) func(*Document) { return func(d *Document) { d.Paths = paths } }

// installed is a process whose executable cannot be forged.
func installed(exe string) Subject {
	base := baseName(exe)
	return Subject{Name: base, Exe: exe, Trusted: true, Comm: base[:min(len(base), maxComm)], Argv0: exe}
}

// homemade is a process that a user made up.
func homemade(exe string) Subject {
	p := installed(exe)
	p.Trusted = false
	return p
}

func TestDenialMatchesEveryAlias(t *testing.T) {
	long := "prometheus-node-exporter"
	set := NewSet(Linux, doc(Linux, "backupd", at("/usr/sbin/backupd")), doc(Common, long), doc(Windows, "other"))
	tests := []struct {
		name      string
		subject   Subject
		denied    bool
		untrusted bool
	}{
		{"executable", installed("/usr/sbin/backupd"), true, false},
		{"executable elsewhere, untrusted", homemade("/home/u/backupd"), true, true},
		{"executable elsewhere, trusted: the document is about another", installed("/opt/backupd"), false, false},
		{"comm", Subject{Name: "x", Exe: "/home/u/x", Comm: "backupd"}, true, true},
		{"comm of a trusted executable", Subject{Name: "x", Exe: "/usr/bin/x", Trusted: true, Comm: "backupd"}, true, true},
		{"comm in capitals", Subject{Name: "x", Exe: "/home/u/x", Comm: "BackupD"}, true, true},
		{"argv0", Subject{Name: "x", Exe: "/home/u/x", Comm: "x", Argv0: "/opt/backupd"}, true, true},
		{"argv0 with a title", Subject{Name: "x", Exe: "/home/u/x", Comm: "x", Argv0: "backupd: worker /etc/x"}, true, true},
		{"argv0 of a login shell", Subject{Name: "x", Exe: "/home/u/x", Comm: "x", Argv0: "-backupd"}, true, true},
		{"script", Subject{Name: "python3.11", Exe: "/usr/bin/python3.11", Trusted: true, Comm: "python3", Script: "./backupd"}, true, true},
		{"version behind the name", homemade("/home/u/backupd1.2"), true, true},
		{"base of the path alone", Subject{Exe: "/x/backupd", Comm: "y"}, true, true},
		{"cut comm", Subject{Name: "x", Exe: "/home/u/x", Comm: long[:15]}, true, true},
		{"comm shorter than the cut", Subject{Name: "x", Exe: "/home/u/x", Comm: long[:14]}, false, false},
		{"one of several scripts", Subject{Name: "x", Exe: "/home/u/x", Comm: "x", OtherScripts: "a.b\x00/opt/backupd\x00"}, true, true},
		{"argv0 is never cut", Subject{Name: "x", Exe: "/home/u/x", Comm: "x", Argv0: long[:15]}, false, false},
		{"long name itself", installed("/usr/bin/" + long), true, false},
		{"trusted name with the same cut", installed("/usr/bin/" + long + "-x"), false, false},
		{"other platform", homemade("/home/u/other"), false, false},
		{"nothing known", Subject{}, false, false},
	}
	for _, test := range tests {
		d := set.Denial(test.subject)
		if (d != nil) != test.denied {
			t.Errorf("%s: denied %v, want %v", test.name, d != nil, test.denied)
		} else if d != nil && d.Untrusted != test.untrusted {
			t.Errorf("%s: untrusted %v, want %v", test.name, d.Untrusted, test.untrusted)
		}
	}
}

func TestDenialNamesTheMostTelling(t *testing.T) {
	set := Build(Linux, Contents{
		Catalogue: []Document{doc(Linux, "a"), doc(Common, "a"), doc(Common, "b")},
		Store:     []Document{doc(Linux, "a", func(d *Document) { d.Policy.Reason = "mine" }), doc(Linux, "b", free), doc(Linux, "c", free)},
		Rules: []Rule{
			{ID: "low", Enabled: true, Priority: 1, Effect: Protect, Match: Match{Name: "c"}},
			{ID: "high", Enabled: true, Priority: 2, Effect: Protect, Match: Match{User: "u"}},
			{ID: "off", Priority: 3, Effect: Protect, Match: Match{User: "u"}},
		},
		Invalid: []Invalid{{Collection: KnownProcesses, ID: "x1", Name: "d", Platform: Linux}},
	})
	with := func(p Subject, user string) Subject { p.User = user; return p }
	tests := []struct {
		subject Subject
		by      string
		source  Source
	}{
		{installed("/usr/bin/a"), "linux/a", MongoDB},
		{installed("/usr/bin/b"), "common/b", Embedded},
		{installed("/usr/bin/c"), "rule low", MongoDB},
		{with(installed("/usr/bin/c"), "u"), "rule high", MongoDB},
		{homemade("/home/u/d"), "known_processes x1", MongoDB},
		{installed("/usr/bin/d"), "known_processes x1", MongoDB},
	}
	for _, test := range tests {
		d := set.Denial(test.subject)
		if d == nil || d.By() != test.by || d.Source != test.source {
			t.Errorf("%s: %+v, want %s of %s", test.subject.Exe, d, test.by, test.source)
			continue
		}
		if text := d.Reason(); text.English == "" || text.Korean == "" && d.Document == nil {
			t.Errorf("%s: no reason", test.subject.Exe)
		}
	}
	if d := set.Denial(installed("/usr/bin/a")); d.Reason().English != "mine" {
		t.Errorf("reason %q, want that of the store", d.Reason().English)
	}
}

// TestDenialByATrustedNameIsNamedFirst: a name that somebody chose is not blamed
// where the program itself is protected.
func TestDenialByATrustedNameIsNamedFirst(t *testing.T) {
	set := Build(Linux, Contents{
		Catalogue: []Document{doc(Linux, "claimed")},
		Rules:     []Rule{{ID: "r", Enabled: true, Effect: Protect, Match: Match{Name: "tool"}}},
	})
	p := installed("/usr/bin/tool")
	p.Comm = "claimed"
	if d := set.Denial(p); d == nil || d.Untrusted || d.By() != "rule r" {
		t.Errorf("%+v", d)
	}
}

func TestDenialIsSafeToShow(t *testing.T) {
	d := doc(Linux, "x\x1b[2j")
	d.Policy.Reason = "be\ncareful\x1b"
	denial := NewSet(Linux, d).Denial(Subject{Comm: "X\x1b[2J"})
	for _, shown := range []string{denial.By(), denial.Alias, denial.Reason().English} {
		if strings.ContainsAny(shown, "\x1b\n") {
			t.Errorf("%q", shown)
		}
	}
}

func TestMalformedDocumentsProtect(t *testing.T) {
	set := Build(Linux, Contents{
		Store: []Document{doc(Linux, "here", free), doc(Linux, "everywhere", free)},
		Invalid: []Invalid{
			{Collection: KnownProcesses, ID: "1", Name: "here", Platform: Linux},
			{Collection: KnownProcesses, ID: "2", Name: "there", Platform: Windows},
			{Collection: KnownProcesses, ID: "3", Name: "everywhere"},
			{Collection: KnownProcesses, ID: "4"},
			{Collection: ProcessRules, ID: "5", Rule: &Rule{Effect: Protect, Match: Match{User: "backup"}}},
		},
	})
	for name, want := range map[string]bool{"here": true, "there": false, "everywhere": true, "else": false} {
		if d := set.Denial(homemade("/home/u/" + name)); (d != nil) != want {
			t.Errorf("%s: denied %v, want %v", name, d != nil, want)
		}
	}
	if set.Denial(Subject{Name: "else", User: "backup"}) == nil {
		t.Error("a malformed rule does not protect what its readable condition matches")
	}
	if n := set.Stats().Invalid; n != 5 {
		t.Errorf("%d invalid, want 5", n)
	}
	everything := Build(Linux, Contents{Invalid: []Invalid{{ID: "x", Rule: &Rule{}}}})
	if everything.Denial(homemade("/home/u/x")) == nil {
		t.Error("a rule of which nothing can be read does not protect")
	}
}

func TestDuplicatesBothDeny(t *testing.T) {
	mine := doc(Linux, "x", free)
	for _, store := range [][]Document{{mine, doc(Linux, "x")}, {doc(Linux, "x"), mine}} {
		set := Build(Linux, Contents{Store: store})
		if set.Denial(homemade("/home/u/x")) == nil {
			t.Error("the duplicate that permits won")
		}
		if n := set.Stats().Invalid; n != 1 {
			t.Errorf("%d invalid, want the duplicate", n)
		}
	}
}
