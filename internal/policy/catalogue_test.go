package policy

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCatalogueIsValid(t *testing.T) {
	for _, p := range ValidateAll(Catalogue()) {
		t.Error(p)
	}
}

// TestCatalogueIsOneLineEach holds the files to the form by which a set finds the
// documents in them, and what is told from the text to what the documents say.
func TestCatalogueIsOneLineEach(t *testing.T) {
	files, err := catalogueFiles.ReadDir("catalogue")
	if err != nil {
		t.Fatal(err)
	}
	var all []Document
	for _, file := range files {
		text, err := catalogueFiles.ReadFile("catalogue/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		var documents []Document
		if err := decoder.Decode(&documents); err != nil {
			t.Fatalf("%s: %v", file.Name(), err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: more than one array", file.Name())
		}
		all = append(all, documents...)
	}
	if len(all) != len(embedded()) {
		t.Fatalf("%d documents, of which %d are lines", len(all), len(embedded()))
	}
	for i, s := range embedded() {
		d := &all[i]
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if s.text != string(text) {
			t.Errorf("%s: write the line as encoding/json does:\n%s\nnot\n%s", d.Name, text, s.text)
		}
		if s.key != (key{d.Name, d.Platform}) || s.digest != digestOf(d) || s.denies != d.Denies() {
			t.Errorf("%s: taken for %+v of digest %x, denies %v", d.Name, s.key, s.digest, s.denies)
		}
	}
}

func TestLineThatIsNoDocument(t *testing.T) {
	for _, line := range []string{`{}`, `{"platform":"linux","name":"a"}`, `{"name":"a"}`, `{"name":"a\u0022","platform":"linux"}`, `{"name":"a","platform":"linux`} {
		if s, err := embeddedDocument(line); err == nil {
			t.Errorf("%s: %+v", line, s.key)
		}
	}
}

// TestEmbeddedSetSaysTheSame compares a set of documents that are not decoded
// with one of the same documents that are.
func TestEmbeddedSetSaysTheSame(t *testing.T) {
	for _, platform := range []Platform{Linux, Windows} {
		plain, lazy := NewSet(platform, Catalogue()...), EmbeddedSet(platform)
		if plain.Version() != lazy.Version() || !reflect.DeepEqual(plain.Stats(), lazy.Stats()) {
			t.Errorf("version %s, %+v; want %s, %+v", lazy.Version(), lazy.Stats(), plain.Version(), plain.Stats())
		}
		if diff := cmp.Diff(plain.Documents(), lazy.Documents(), cmpopts.IgnoreUnexported(Document{})); diff != "" {
			t.Errorf("documents (-decoded +embedded):\n%s", diff)
		}
		for _, d := range plain.Documents() {
			path := "/usr/bin/" + d.Name
			for _, p := range []Subject{{Name: d.Name, Exe: path}, {Comm: d.Name[:min(len(d.Name), maxComm)]}} {
				want, got := plain.Denial(p), lazy.Denial(p)
				if (want == nil) != (got == nil) || want != nil && (want.By() != got.By() || want.Untrusted != got.Untrusted || want.Alias != got.Alias) {
					t.Fatalf("%+v: denied by %+v, want %+v", p, got, want)
				}
			}
			want, got := plain.Find(d.Name, path), lazy.Find(d.Name, path)
			if (want == nil) != (got == nil) || want != nil && want.Digest() != got.Digest() {
				t.Errorf("%s: found %+v, want %+v", d.Name, got, want)
			}
			if d := EmbeddedDocument(d.Platform, d.Name); d == nil || d.Name == "" {
				t.Errorf("%s is not embedded", d.Name)
			}
		}
	}
	if d := EmbeddedDocument(Linux, "no such program"); d != nil {
		t.Errorf("found %+v", d)
	}
}

// TestEmbeddedSetKeepsLittle looks some documents up at once from many goroutines:
// these alone are kept, each once.
func TestEmbeddedSetKeepsLittle(t *testing.T) {
	all := make([]*stored, 0, len(embedded()))
	for _, s := range embedded() {
		all = append(all, &stored{key: s.key, digest: s.digest, text: s.text})
	}
	found := make([]*Document, 64)
	var group sync.WaitGroup
	for i := range found {
		group.Go(func() { found[i] = all[i%8].document() })
	}
	group.Wait()
	for i, d := range found {
		if d != found[i%8] || d.Digest() != hex.EncodeToString(all[i%8].digest[:]) {
			t.Errorf("%d: another document of %s", i, d.Name)
		}
	}
	kept := 0
	for _, s := range all {
		s.passing()
		if s.ready.Load() != nil {
			kept++
		}
	}
	if kept != 8 {
		t.Errorf("%d documents are kept, want 8", kept)
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
