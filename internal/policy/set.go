package policy

import "strings"

// Set is one version of policy for one platform: documents and rules. It is
// immutable, so that a snapshot is assessed by one version from its first
// process to its last.
type Set struct {
	platform  Platform
	documents map[key]*Document
}

type key struct {
	name     string
	platform Platform
}

// NewSet makes a set of the documents that hold on a platform. Where two have
// the same name and platform, the later one holds.
func NewSet(platform Platform, documents ...Document) *Set {
	s := &Set{platform: platform, documents: make(map[key]*Document, len(documents))}
	for i := range documents {
		d := &documents[i]
		if d.Platform == platform || d.Platform == Common {
			s.documents[key{d.Name, d.Platform}] = d
		}
	}
	return s
}

// Platform is the platform that the set holds for.
func (s *Set) Platform() Platform { return s.platform }

// Version names the content of the set: the same on every server that has the
// same policy.
func (s *Set) Version() string { return "" }

// Find returns the document that describes the program called name whose
// executable, or script, is at path: that of the platform before the common
// one, narrowed by its paths. An empty path is unknown, and meets only
// documents without paths. It returns nil where there is none.
func (s *Set) Find(name, path string) *Document {
	name = strings.ToLower(name)
	for _, platform := range [...]Platform{s.platform, Common} {
		if d := s.documents[key{name, platform}]; d != nil && d.MayBeAt(path) {
			return d
		}
	}
	return nil
}

// Named returns the documents of a name whatever their paths, that of the
// platform first.
func (s *Set) Named(name string) []*Document {
	name = strings.ToLower(name)
	var found []*Document
	for _, platform := range [...]Platform{s.platform, Common} {
		if d := s.documents[key{name, platform}]; d != nil {
			found = append(found, d)
		}
	}
	return found
}

// MayBeAt tells whether the document holds for an executable at path.
func (d *Document) MayBeAt(path string) bool { return len(d.Paths) == 0 }

// Provider has the policy of the moment at hand.
type Provider interface {
	// Current returns the set that holds now. It never blocks and is never nil.
	Current() *Set
}

// Catalogue returns the documents that are embedded in the program.
func Catalogue() []Document { return nil }
