package policy

import (
	"slices"
	"strings"
	"testing"
)

func TestCatalogueIsValid(t *testing.T) {
	for _, p := range ValidateAll(Catalogue()) {
		t.Error(p)
	}
}

func TestCatalogueIsBigEnough(t *testing.T) {
	byPlatform := map[Platform]int{}
	for _, d := range Catalogue() {
		byPlatform[d.Platform]++
	}
	for platform, want := range map[Platform]int{Linux: 200, Windows: 80, Common: 20} {
		if byPlatform[platform] < want {
			t.Errorf("%s: %d documents, want at least %d", platform, byPlatform[platform], want)
		}
	}
	if n := len(Catalogue()); n < 300 {
		t.Errorf("%d documents, want at least 300", n)
	}
}

// hangul tells a syllable, as every Korean text of the catalogue has some.
func hangul(r rune) bool { return r >= '가' && r <= '힣' }

func TestCatalogueSpeaksBothLanguages(t *testing.T) {
	for _, d := range Catalogue() {
		texts := map[string]map[string]string{"description": d.DescriptionI18n}
		if d.Policy.Reason != "" {
			texts["reason"] = d.Policy.ReasonI18n
		}
		for field, by := range texts {
			if by["en"] == "" || strings.ContainsFunc(by["en"], hangul) {
				t.Errorf("%s/%s: English %s is %q", d.Platform, d.Name, field, by["en"])
			}
			if !strings.ContainsFunc(by["ko"], hangul) {
				t.Errorf("%s/%s: Korean %s is %q", d.Platform, d.Name, field, by["ko"])
			}
		}
	}
}

// borrowed are names that no file bears: what the kernel keeps of the name of a
// script, a child that renames itself, a script of init.
var borrowed = []string{"cache-main", "networkd-dispat", "open-iscsi", "unattended-upgr"}

// TestCataloguePathsBearTheName holds paths against the name of their document.
// Others may be among them: a shell or busybox that runs it, or where a link of
// that name leads.
func TestCataloguePathsBearTheName(t *testing.T) {
	for _, d := range Catalogue() {
		if d.Platform == Linux && len(d.Paths) == 0 {
			t.Errorf("%s: a Linux program without paths", d.Name)
		}
		own := len(d.Paths) == 0 || slices.Contains(borrowed, d.Name)
		for i, pattern := range d.Paths {
			g := d.prepared.paths[i]
			if example := strings.ReplaceAll(strings.ReplaceAll(pattern, "**", "a/b"), "*", "x"); !g.Match(example) {
				t.Errorf("%s: path %q does not match %q", d.Name, pattern, example)
			}
			base := baseName(pattern)
			own = own || strings.EqualFold(base, d.Name) || strings.Contains(base, "*") &&
				g.Match(strings.ReplaceAll(strings.TrimSuffix(pattern, base), "*", "x")+d.Name)
		}
		if !own {
			t.Errorf("%s: no path leads to a program of that name: %q", d.Name, d.Paths)
		}
	}
}

// TestCatalogueNamesNoWritableFolders keeps paths out of folders in which
// everybody may write.
func TestCatalogueNamesNoWritableFolders(t *testing.T) {
	for _, d := range Catalogue() {
		for _, g := range d.prepared.paths {
			for _, path := range []string{"/tmp/" + d.Name, "/var/tmp/" + d.Name, "/dev/shm/" + d.Name} {
				if g.Match(path) {
					t.Errorf("%s: path %q holds for %s", d.Name, g, path)
				}
			}
		}
	}
}

// TestCatalogueKnowsAStockServer looks up the programs of stock Debian 12 and
// Rocky 9 servers where their packages put them.
func TestCatalogueKnowsAStockServer(t *testing.T) {
	set := NewSet(Linux, Catalogue()...)
	for _, p := range stockServer {
		d := set.Find(p.name(), p.exe)
		if d == nil {
			t.Errorf("%s: not known", p.exe)
			continue
		}
		for _, w := range p.warnings {
			code, subject, ok := parseWarning(w)
			if !ok {
				t.Fatalf("%s: test asks for %q", p.exe, w)
			}
			if !expects(d, code, subject) {
				t.Errorf("%s: does not expect %s", p.exe, w)
			}
		}
		if p.protected != d.Denies() {
			t.Errorf("%s: denies %v, want %v", p.exe, d.Denies(), p.protected)
		}
	}
}

// expects tells whether a document calls a warning normal, as package risk does.
func expects(d *Document, code, subject string) bool {
	return slices.Contains(d.ExpectedWarnings, code) || slices.Contains(d.ExpectedWarnings, code+"("+subject+")")
}

func TestCatalogueIsTheCallers(t *testing.T) {
	Catalogue()[0].Name = "changed"
	if slices.ContainsFunc(Catalogue(), func(d Document) bool { return d.Name == "changed" }) {
		t.Error("a caller changed the catalogue")
	}
}
