package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Set is one version of policy for one platform: documents and rules. It is
// immutable, so that a snapshot is assessed by one version from its first
// process to its last.
type Set struct {
	platform Platform
	entries  map[key]*entry
	// cut holds, by the 15 bytes that the kernel keeps of a name, the entries of
	// the programs whose longer names begin so.
	cut     map[string][]key
	longer  map[string][]string // by the same bytes, the names themselves
	rules   []*Rule
	broken  []*Invalid // malformed rules that may protect
	invalid []Invalid
	stats   Stats
	version string
}

type key struct {
	name     string
	platform Platform
}

// entry is all that is written about one name on one platform.
type entry struct {
	documents []sourced // those of the store before those of the catalogue
	invalid   []*Invalid
}

type sourced struct {
	*stored
	source Source
}

// Source is where a document comes from.
type Source string

// The sources, the one that describes first.
const (
	MongoDB  Source = "mongodb"
	Embedded Source = "catalogue"
)

// Sources lists the sources.
var Sources = []Source{MongoDB, Embedded}

// Contents are what a set is made of. The order of documents and rules never
// matters.
type Contents struct {
	// Embedded tells that the documents that are embedded in the program are among
	// those of the catalogue. They take less memory than in Catalogue.
	Embedded bool
	// Catalogue and Store are documents by their source. Where both describe a
	// name, the store's description holds and both forbid.
	Catalogue, Store []Document
	// Rules are those of the store.
	Rules []Rule
	// Invalid are the malformed documents and rules of the store.
	Invalid []Invalid
}

// Stats counts what a set was made of, on all platforms.
type Stats struct {
	Documents map[Source]int
	// Rules counts the rules that are enabled.
	Rules int
	// Invalid counts malformed documents and rules, duplicates among them.
	Invalid int
}

// NewSet makes a set of documents of the catalogue.
func NewSet(platform Platform, documents ...Document) *Set {
	return Build(platform, Contents{Catalogue: documents})
}

// Build makes a set of its contents.
func Build(platform Platform, c Contents) *Set {
	catalogue := storedOf(c.Catalogue)
	if c.Embedded {
		catalogue = append(catalogue, embedded()...)
	}
	s := &Set{
		platform: platform,
		entries:  make(map[key]*entry, max(len(catalogue), len(c.Store))),
		cut:      make(map[string][]key),
		longer:   make(map[string][]string),
		stats:    Stats{Documents: map[Source]int{MongoDB: len(c.Store), Embedded: len(catalogue)}},
	}
	digests := make([]digest, 0, len(catalogue)+len(c.Store)+len(c.Rules)+len(c.Invalid))
	digests = s.addDocuments(digests, MongoDB, storedOf(c.Store))
	digests = s.addDocuments(digests, Embedded, catalogue)
	digests = s.addRules(digests, c.Rules)
	digests = s.addInvalid(digests, c.Invalid)
	s.cutNames()
	s.stats.Invalid = len(s.invalid)
	s.version = versionOf(digests)
	return s
}

// at is the entry of a name on a platform, made where there is none.
func (s *Set) at(name string, platform Platform) *entry {
	k := key{name, platform}
	e := s.entries[k]
	if e == nil {
		e = new(entry)
		s.entries[k] = e
	}
	return e
}

// addDocuments adds the documents of one source. Of two with the same name and
// platform both forbid, and the one that was updated last describes.
func (s *Set) addDocuments(digests []digest, source Source, documents []*stored) []digest {
	for _, d := range documents {
		digests = append(digests, d.digest)
		e := s.at(strings.ToLower(d.name), d.platform)
		if slices.ContainsFunc(e.documents, func(other sourced) bool { return other.source == source }) {
			s.invalid = append(s.invalid, Invalid{
				Collection: KnownProcesses, Name: d.name, Platform: d.platform, Problems: []Problem{duplicateProblem(d.key)},
			})
		}
		e.documents = append(e.documents, sourced{d, source})
		slices.SortFunc(e.documents, bySource)
	}
	return digests
}

// bySource orders the documents of an entry.
func bySource(a, b sourced) int {
	if a.source != b.source {
		return slices.Index(Sources, a.source) - slices.Index(Sources, b.source)
	}
	return cmp.Or(
		b.document().UpdatedAt.Compare(a.document().UpdatedAt),
		slices.Compare(a.digest[:], b.digest[:]),
	)
}

// Platform is the platform that the set holds for.
func (s *Set) Platform() Platform { return s.platform }

// Version names the content of the set: the same on every server that has the
// same policy.
func (s *Set) Version() string { return s.version }

// Stats counts what the set was made of.
func (s *Set) Stats() Stats {
	stats := s.stats
	stats.Documents = maps.Clone(stats.Documents)
	return stats
}

// Invalid lists what is malformed in the store.
func (s *Set) Invalid() []Invalid { return slices.Clone(s.invalid) }

// Rules lists the rules that are enabled, the most important first.
func (s *Set) Rules() []*Rule { return slices.Clone(s.rules) }

// lookups are the platforms in the order in which a name is looked up.
func (s *Set) lookups() [2]Platform { return [...]Platform{s.platform, Common} }

// Find returns the document that describes the program called name whose
// executable, or script, is at path: that of the platform before the common
// one, that of the store before the catalogue's, narrowed by its paths. An
// empty path is unknown, and meets only documents without paths. It returns
// nil where there is none.
func (s *Set) Find(name, path string) *Document {
	d, _ := s.find(name, path)
	return d
}

func (s *Set) find(name, path string) (*Document, Source) {
	name = strings.ToLower(name)
	for _, platform := range s.lookups() {
		e := s.entries[key{name, platform}]
		if e == nil {
			continue
		}
		for _, d := range e.documents {
			if document := d.document(); document.MayBeAt(path) {
				return document, d.source
			}
		}
	}
	return nil, ""
}

// Named returns the documents of a name whatever their paths, in the order in
// which [Set.Find] looks at them.
func (s *Set) Named(name string) []*Document {
	name = strings.ToLower(name)
	var found []*Document
	for _, platform := range s.lookups() {
		if e := s.entries[key{name, platform}]; e != nil {
			for _, d := range e.documents {
				found = append(found, d.document())
			}
		}
	}
	return found
}

// LongNames are the names that the kernel cuts to comm, in ascending order. They
// are not to be changed.
func (s *Set) LongNames(comm string) []string {
	if len(comm) != maxComm {
		return nil
	}
	return s.longer[strings.ToLower(comm)]
}

// All returns every document of a name on every platform with its source, those
// that hold here first.
func (s *Set) All(name string) []Listed {
	name = strings.ToLower(name)
	var found []Listed
	platforms := s.lookups()
	for _, platform := range append(platforms[:], Platforms...) {
		e := s.entries[key{name, platform}]
		if e == nil || slices.ContainsFunc(found, func(l Listed) bool { return l.Platform == platform }) {
			continue
		}
		for _, d := range e.documents {
			found = append(found, Listed{d.document(), d.source})
		}
	}
	return found
}

// Listed is a document and where it comes from.
type Listed struct {
	*Document
	Source Source
}

// Documents lists the documents of all platforms by name, for each the one that
// describes: the catalogue's are left out where the store has their name.
func (s *Set) Documents() []Listed {
	all := make([]Listed, 0, len(s.entries))
	for _, e := range s.entries {
		if len(e.documents) > 0 {
			all = append(all, Listed{e.documents[0].passing(), e.documents[0].source})
		}
	}
	slices.SortFunc(all, func(a, b Listed) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Platform), string(b.Platform)))
	})
	return all
}
