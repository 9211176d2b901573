package policy

import (
	"slices"
	"testing"
	"time"
)

func TestFind(t *testing.T) {
	mine := func(d *Document) { d.Description = "mine" }
	set := Build(Linux, Contents{
		Catalogue: []Document{
			doc(Linux, "a"), doc(Common, "a"), doc(Common, "b"), doc(Windows, "c"), doc(Linux, "d", at("/usr/bin/d")), doc(Common, "d"),
		},
		Store: []Document{doc(Linux, "a", mine), doc(Linux, "d", mine, at("/opt/d")), doc(Common, "b", mine)},
	})
	tests := []struct {
		name, path string
		platform   Platform
		text       string
	}{
		{"a", "/x/a", Linux, "mine"},
		{"A", "", Linux, "mine"},
		{"b", "", Common, "mine"},
		{"c", "", "", ""},
		{"d", "/opt/d", Linux, "mine"},
		{"d", "/usr/bin/d", Linux, "test program"},
		{"d", "/tmp/d", Common, "test program"},
		{"d", "", Common, "test program"},
		{"", "", "", ""},
	}
	for _, test := range tests {
		d := set.Find(test.name, test.path)
		if d == nil {
			d = &Document{}
		}
		if d.Platform != test.platform || d.Description != test.text {
			t.Errorf("%s at %q: %s %q, want %s %q", test.name, test.path, d.Platform, d.Description, test.platform, test.text)
		}
	}
	if named := set.Named("D"); len(named) != 3 || named[0].Description != "mine" || named[2].Platform != Common {
		t.Errorf("named: %+v", named)
	}
	var names []string
	for _, l := range set.Documents() {
		names = append(names, l.Name+" "+string(l.Platform)+" "+string(l.Source))
	}
	want := []string{"a common catalogue", "a linux mongodb", "b common mongodb", "c windows catalogue", "d common catalogue", "d linux mongodb"}
	if !slices.Equal(names, want) {
		t.Errorf("documents %q, want %q", names, want)
	}
}

func TestTheLatestDuplicateDescribes(t *testing.T) {
	old, recent := doc(Linux, "x"), doc(Linux, "x")
	old.UpdatedAt, recent.UpdatedAt = time.Unix(1, 0), time.Unix(2, 0)
	recent.Description = "recent"
	for _, store := range [][]Document{{old, recent}, {recent, old}} {
		if d := Build(Linux, Contents{Store: store}).Find("x", ""); d.Description != "recent" {
			t.Errorf("%q", d.Description)
		}
	}
}

func TestPathsOfADocumentOutsideOfASet(t *testing.T) {
	d := doc(Linux, "x", at("/opt/*", "wrong"))
	if !d.MayBeAt("/opt/x") || d.MayBeAt("/usr/x") || d.MayBeAt("") {
		t.Error("paths do not hold without a set")
	}
}

func TestLongNames(t *testing.T) {
	set := NewSet(Linux,
		Document{Name: "unattended-upgrade-shutdown", Platform: Linux}, Document{Name: "unattended-upgrades", Platform: Common},
		Document{Name: "unattended-upgrade-shutdown", Platform: Common}, Document{Name: "unattended-upgrade.exe", Platform: Windows},
		Document{Name: "unattended-upgr", Platform: Linux},
	)
	want := []string{"unattended-upgrade-shutdown", "unattended-upgrades"}
	for comm, want := range map[string][]string{"unattended-upgr": want, "Unattended-Upgr": want, "unattended": nil, "unattended-upgrade": nil, "": nil} {
		if got := set.LongNames(comm); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", comm, got, want)
		}
	}
}
