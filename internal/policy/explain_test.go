package policy

import (
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	set := Build(Linux, Contents{
		Catalogue: []Document{doc(Linux, "a", at("/usr/bin/a")), doc(Common, "a", free), doc(Linux, "hidden")},
		Store:     []Document{doc(Linux, "job", automatic)},
		Rules: []Rule{
			{ID: "users", Enabled: true, Effect: Protect, Match: Match{User: "bob"}},
			{ID: "hogs", Enabled: true, Effect: AutoTerminate, Priority: 2, Match: Match{Name: "hog", MinMemoryRatio: 0.5}},
		},
		Invalid: []Invalid{{Collection: KnownProcesses, ID: "x1", Name: "broken", Platform: Linux}},
	})
	find := func(e Explanation, document string, source Source) DocumentUse {
		for _, u := range e.Documents {
			if u.Document == document && u.Source == source {
				return u
			}
		}
		return DocumentUse{}
	}
	e := set.Explain(installed("/usr/bin/a"), set.Find("a", "/usr/bin/a"))
	if !e.Denied || e.By != "linux/a" || e.Untrusted || len(e.Names) != 1 || !e.Names[0].Trusted {
		t.Errorf("%+v", e)
	}
	if u := find(e, "linux/a", Embedded); !u.Describes || !u.Denies || u.Why != "forbids" {
		t.Errorf("%+v", u)
	}
	if u := find(e, "common/a", Embedded); u.Describes || u.Denies || u.Why != "does not forbid" {
		t.Errorf("%+v", u)
	}
	e = set.Explain(installed("/opt/a"), nil)
	if u := find(e, "linux/a", Embedded); e.Denied || u.Denies || !strings.Contains(u.Why, "/usr/bin/a") {
		t.Errorf("%+v", e)
	}
	masked := installed("/usr/bin/x")
	masked.Comm = "hidden"
	e = set.Explain(masked, nil)
	if u := find(e, "linux/hidden", Embedded); !e.Denied || !e.Untrusted || u.Describes || !strings.Contains(u.Why, "may have chosen") {
		t.Errorf("%+v", e)
	}
	if e := set.Explain(installed("/usr/bin/job"), nil); !e.Automatic || e.By != "linux/job" || find(e, "linux/job", MongoDB).Why != "lets automation end it" {
		t.Errorf("%+v", e)
	}
	if e := set.Explain(homemade("/home/u/broken"), nil); !e.Denied || !strings.Contains(find(e, "linux/broken", MongoDB).Why, "malformed") {
		t.Errorf("%+v", e)
	}
	hog := installed("/usr/bin/hog")
	e = set.Explain(hog, nil)
	if len(e.Rules) != 2 || e.Rules[0].ID != "hogs" || e.Rules[0].Holds || !strings.Contains(e.Rules[0].Why, "memory") || !strings.Contains(e.Rules[1].Why, "not bob") {
		t.Errorf("%+v", e.Rules)
	}
	hog.MemoryRatio = 0.7
	if e := set.Explain(hog, nil); !e.Rules[0].Holds || !e.Automatic || e.By != "rule hogs" {
		t.Errorf("%+v", e)
	}
	hog.Trusted = false
	if e := set.Explain(hog, nil); e.Rules[0].Holds || !strings.Contains(e.Rules[0].Why, "forged") {
		t.Errorf("%+v", e.Rules)
	}
}

// TestExplainAgrees holds the explanation against what it explains.
func TestExplainAgrees(t *testing.T) {
	inEveryWorld(t, func(w world) {
		set := Build(Linux, w.contents())
		p := w.subject()
		e := set.Explain(p, nil)
		if e.Denied != (set.Denial(p) != nil) || e.Automatic != (set.AutoTerminate(p) != nil) {
			t.Errorf("%+v: %+v", p, e)
		}
		denies := len(set.broken) > 0
		for _, u := range e.Documents {
			denies = denies || u.Denies
			if u.Why == "" {
				t.Errorf("%+v: no reason", u)
			}
		}
		for _, r := range e.Rules {
			denies = denies || r.Holds && r.Effect == Protect
		}
		if e.Denied && !denies {
			t.Errorf("%+v is denied, but nothing listed denies: %+v", p, e)
		}
	})
}
