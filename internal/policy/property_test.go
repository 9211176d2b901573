package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// worlds are contents and subjects drawn from few words, so that they meet.
type world struct{ *rand.Rand }

func pick[T any](w world, choices ...T) T { return choices[w.IntN(len(choices))] }

var someNames = []string{"a", "b", "python3", "a-very-long-name-1", "a-very-long-name-2"}

func (w world) document() Document {
	d := doc(pick(w, Platforms...), pick(w, someNames...))
	if w.IntN(2) == 0 {
		free(&d)
		d.AutoTerminate = w.IntN(2) == 0
	}
	if w.IntN(2) == 0 {
		d.Paths = []string{pick(w, "/usr/bin/*", "/opt/**", "/home/*/x")}
	}
	d.Description = fmt.Sprint("number ", w.IntN(3))
	return d
}

func (w world) rule() Rule {
	return Rule{
		ID: fmt.Sprint(w.IntN(1000)), Enabled: w.IntN(3) > 0, Priority: int64(w.IntN(3)), Effect: pick(w, Protect, AutoTerminate),
		Match: Match{
			Name: pick(w, "", pick(w, someNames...)), Exe: pick(w, "", "/opt/**"), User: pick(w, "", "u"),
			Warning: pick(w, "", "PUBLIC_PORT"), MinMemoryRatio: pick(w, 0, 0.5),
		},
	}
}

func (w world) invalid() Invalid {
	in := Invalid{Collection: KnownProcesses, ID: fmt.Sprint(w.IntN(1000)), Name: pick(w, someNames...), Platform: pick(w, Linux, Windows, "")}
	if w.IntN(3) == 0 {
		r := w.rule()
		r.Effect = Protect
		in = Invalid{Collection: ProcessRules, ID: in.ID, Rule: &r}
	}
	return in
}

func many[T any](w world, most int, make func() T) []T {
	all := []T{}
	for range w.IntN(most + 1) {
		all = append(all, make())
	}
	return all
}

func (w world) contents() Contents {
	return Contents{
		Catalogue: many(w, 4, w.document), Store: many(w, 4, w.document), Rules: many(w, 3, w.rule), Invalid: many(w, 1, w.invalid),
	}
}

func (w world) subject() Subject {
	p := homemade(pick(w, "/usr/bin/", "/opt/y/", "/home/u/") + pick(w, someNames...))
	p.Trusted = w.IntN(2) == 0
	p.Comm = pick(w, p.Comm, "a", "a-very-long-nam", "zzz")
	p.Argv0 = pick(w, p.Argv0, "b", "")
	p.User, p.MemoryRatio = pick(w, "u", "root"), pick(w, 0, 0.6)
	p.Warnings = pick(w, nil, []string{"PUBLIC_PORT(22)"})
	return p
}

func shuffled[T any](w world, all []T) []T {
	all = slices.Clone(all)
	w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// inEveryWorld runs a check on many random worlds.
func inEveryWorld(t *testing.T, check func(w world)) {
	t.Helper()
	for seed := range uint64(3000) {
		check(world{rand.New(rand.NewPCG(seed, 7))})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// say is all that a set says of a process, in comparable form.
func say(s *Set, p Subject) string {
	text := ""
	if d := s.Find(p.Name, p.Exe); d != nil {
		text = d.Digest()
	}
	if d := s.Denial(p); d != nil {
		text += fmt.Sprint(" denied by ", d.By(), d.Source, d.Alias, d.Untrusted, d.Reason())
	}
	if g := s.AutoTerminate(p); g != nil {
		text += fmt.Sprint(" granted by ", g.Document != nil, g.Rule != nil, g.Source)
	}
	return text
}

func TestOrderOfDocumentsIsIrrelevant(t *testing.T) {
	inEveryWorld(t, func(w world) {
		c := w.contents()
		for i := range c.Rules { // two rules with one _id cannot be
			c.Rules[i].ID = fmt.Sprint("rule ", i)
		}
		mixed := Contents{c.Embedded, shuffled(w, c.Catalogue), shuffled(w, c.Store), shuffled(w, c.Rules), shuffled(w, c.Invalid)}
		one, other := Build(Linux, c), Build(Linux, mixed)
		if one.Version() != other.Version() {
			t.Errorf("version %s and %s", one.Version(), other.Version())
		}
		for range 10 {
			p := w.subject()
			if a, b := say(one, p), say(other, p); a != b {
				t.Errorf("%+v:\n%s\n%s", p, a, b)
			}
		}
	})
}

// TestNoDocumentWidens adds a document, rule or malformed entry of any kind to
// any policy: what was denied stays denied.
func TestNoDocumentWidens(t *testing.T) {
	inEveryWorld(t, func(w world) {
		c := w.contents()
		more := c
		switch w.IntN(4) {
		case 0:
			more.Catalogue = append(slices.Clone(c.Catalogue), w.document())
		case 1:
			more.Store = append(slices.Clone(c.Store), w.document())
		case 2:
			more.Rules = append(slices.Clone(c.Rules), w.rule())
		case 3:
			more.Invalid = append(slices.Clone(c.Invalid), w.invalid())
		}
		before, after := Build(Linux, c), Build(Linux, more)
		for range 10 {
			p := w.subject()
			if before.Denial(p) != nil && after.Denial(p) == nil {
				t.Errorf("%+v was denied and no longer is", p)
			}
			if after.AutoTerminate(p) != nil && after.Denial(p) != nil {
				t.Errorf("%+v is denied and automatic", p)
			}
		}
	})
}

// TestOnlyTheTrustedNameIsGranted changes all that a process can choose itself:
// nothing makes automation end it.
func TestOnlyTheTrustedNameIsGranted(t *testing.T) {
	inEveryWorld(t, func(w world) {
		set := Build(Linux, w.contents())
		p := w.subject()
		p.Trusted = false
		if set.AutoTerminate(p) != nil {
			t.Errorf("%+v is granted by a name that can be forged", p)
		}
		honest := installed("/usr/bin/zzz")
		honest.User, honest.MemoryRatio, honest.Warnings = p.User, p.MemoryRatio, p.Warnings
		masked := honest
		masked.Comm, masked.Argv0, masked.Script = p.Comm, p.Argv0, p.Exe
		if set.AutoTerminate(honest) == nil && set.AutoTerminate(masked) != nil {
			t.Errorf("%+v is granted by a claimed name", masked)
		}
	})
}

// TestRefreshedAgreesWithTheWhole looks one process up by its names in any store,
// over a set that knows an older state of it: the answer is that of a set of all.
func TestRefreshedAgreesWithTheWhole(t *testing.T) {
	inEveryWorld(t, func(w world) {
		c, old := w.contents(), w.contents()
		old.Catalogue = c.Catalogue
		p := w.subject()
		names, cut := p.Names()
		concerns := func(name string) bool {
			return slices.Contains(names, name) || cut != "" && strings.HasPrefix(name, cut)
		}
		read := Contents{Rules: c.Rules}
		for _, d := range c.Store {
			if concerns(d.Name) {
				read.Store = append(read.Store, d)
			}
		}
		for _, in := range c.Invalid {
			if in.Rule != nil || concerns(in.Name) {
				read.Invalid = append(read.Invalid, in)
			}
		}
		all := func(string) bool { return true }
		fresh, whole := Build(Linux, old).Refreshed(p, read, all), Build(Linux, c)
		if a, b := decide(fresh, p), decide(whole, p); a != b {
			t.Errorf("%+v:\nfresh %s\nwhole %s", p, a, b)
		}
		// What was malformed and was not among what was read still denies.
		none := func(string) bool { return false }
		for _, in := range old.Invalid {
			if in.Rule == nil && slices.Contains(names, in.Name) && in.Platform != Windows && Build(Linux, old).Refreshed(p, read, none).Denial(p) == nil {
				t.Errorf("%+v: %+v no longer denies", p, in)
			}
		}
	})
}

// decide is what a set decides on a process, in comparable form.
func decide(s *Set, p Subject) string {
	text := ""
	if d := s.Denial(p); d != nil {
		text = fmt.Sprint("denied by ", d.By(), d.Source, d.Alias, d.Untrusted, d.Reason())
	}
	if g := s.AutoTerminate(p); g != nil {
		text += " granted by " + g.By()
	}
	return text
}

// FuzzNames takes names that a process may have chosen.
func FuzzNames(f *testing.F) {
	set := Build(Linux, Contents{
		Catalogue: Catalogue(),
		Rules:     []Rule{{ID: "r", Enabled: true, Effect: Protect, Match: Match{Name: "zz", Exe: "/opt/**"}}},
	})
	f.Add("sshd", "/usr/sbin/sshd", "sshd: alice@pts/0", "./x.py", true)
	f.Add("systemd-journal", "(deleted)", "-bash", "C:\\x", false)
	f.Fuzz(func(t *testing.T, comm, exe, argv0, script string, trusted bool) {
		p := Subject{Name: baseName(exe), Exe: exe, Trusted: trusted, Comm: comm, Argv0: argv0, Script: script}
		e := set.Explain(p, nil)
		for _, n := range e.Names {
			if strings.ContainsAny(n.Name, "\x1b\n\x00") {
				t.Errorf("%q is not safe to show", n.Name)
			}
		}
		if !trusted && e.Automatic {
			t.Error("an untrusted name was granted something")
		}
		// The plain name of any document that forbids is always found.
		if d := set.entries[key{strings.ToLower(comm), Linux}]; d != nil && d.documents[0].denies && !trusted && !e.Denied {
			t.Errorf("comm %q is not denied", comm)
		}
	})
}

// TestVersionNamesContent changes one thing at a time.
func TestVersionNamesContent(t *testing.T) {
	base := Contents{Store: []Document{doc(Linux, "a")}, Rules: []Rule{{ID: "r", Match: Match{Name: "a"}}}}
	seen := map[string]string{}
	note := func(what string, c Contents) {
		t.Helper()
		v := Build(Linux, c).Version()
		if was, ok := seen[v]; ok {
			t.Errorf("%s has the version of %s", what, was)
		}
		seen[v] = what
	}
	note("nothing", Contents{})
	note("base", base)
	changed := base
	changed.Store = []Document{doc(Linux, "a", free)}
	note("a document permits", changed)
	changed.Store = []Document{doc(Linux, "a"), doc(Windows, "w")}
	note("a document of another platform", changed)
	changed = base
	changed.Rules = []Rule{{ID: "r", Match: Match{Name: "a"}, Enabled: true}}
	note("a rule is enabled", changed)
	changed = base
	changed.Invalid = []Invalid{{ID: "x", Name: "n"}}
	note("a malformed document", changed)
}

func TestStats(t *testing.T) {
	set := Build(Linux, Contents{
		Catalogue: []Document{doc(Linux, "a"), doc(Windows, "b")}, Store: []Document{doc(Linux, "a")},
		Rules: []Rule{{ID: "on", Enabled: true}, {ID: "off"}},
	})
	stats := set.Stats()
	if stats.Documents[Embedded] != 2 || stats.Documents[MongoDB] != 1 || stats.Rules != 1 || stats.Invalid != 0 {
		t.Errorf("%+v", stats)
	}
}

// BenchmarkDenial is what one process costs against the whole catalogue.
func BenchmarkDenial(b *testing.B) {
	set := NewSet(Linux, Catalogue()...)
	p := installed("/usr/sbin/nginx")
	b.ReportAllocs()
	for b.Loop() {
		set.Denial(p)
	}
}

// BenchmarkBuild makes a set of 50,000 documents that are prepared already, as a
// refresh does.
func BenchmarkBuild(b *testing.B) {
	var store []Document
	for i := range 50_000 {
		d := doc(Linux, fmt.Sprint("customer-program-", i), at("/opt/**", "/usr/bin/*"))
		store = append(store, *prepare(&d))
	}
	b.ReportAllocs()
	for b.Loop() {
		Build(Linux, Contents{Catalogue: Catalogue(), Store: store})
	}
}
