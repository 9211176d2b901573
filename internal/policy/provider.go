package policy

import (
	"context"
	"slices"
	"time"
)

// Provider has the policy of the moment at hand.
type Provider interface {
	// Current returns the set that holds now. It never blocks and is never nil.
	Current() *Set
}

// Consultant reads policy anew for one process that is about to be ended.
type Consultant interface {
	// Consult returns soon after ctx ends, and after half a second at most.
	Consult(ctx context.Context, p Subject) Consultation
}

// State says where a reading of policy comes from.
type State string

// The states of policy, as the outage table of termination.md has them.
const (
	// NotConfigured: there is no database; the catalogue is all there is.
	NotConfigured State = "catalogue"
	// Fresh: the database answered just now.
	Fresh State = "fresh"
	// Degraded: the database is away; this is the last good copy, of any age.
	Degraded State = "last_copy"
	// NeverReached: the database was never reached, and there is no copy of it:
	// nothing is known of what it forbids.
	NeverReached State = "never_reached"
)

// States lists the states.
var States = []State{NotConfigured, Fresh, Degraded, NeverReached}

// Consultation is an answer of a [Consultant].
type Consultation struct {
	State State
	// Set decides on the process that was asked about, and on no other. Where
	// the state is NeverReached, it is the catalogue alone. It is never nil.
	Set *Set
	// Read is when what the set says was read from the database, zero where it
	// never was.
	Read time.Time
	// Err says why the answer is not fresh. It holds no secrets.
	Err error
}

// Fixed is policy that never changes: that of a server without a database.
type Fixed struct{ Set *Set }

// Current implements [Provider].
func (f Fixed) Current() *Set { return f.Set }

// Consult implements [Consultant].
func (f Fixed) Consult(context.Context, Subject) Consultation {
	return Consultation{State: NotConfigured, Set: f.Set}
}

// Names are all names under which policy may know the process, in lower case.
// Where cut is not empty, the kernel may have kept no more than cut of another.
func (p *Subject) Names() (names []string, cut string) {
	for _, a := range p.aliases() {
		names = append(names, a.name)
		if a.cut {
			cut = a.name
		}
	}
	return names, cut
}

// Refreshed is a set that decides on one process by what was just read about its
// names, and by the catalogue of s. What the store holds that is malformed so
// that its name cannot be looked up is taken from s, unless seen tells that its
// _id was read with the rest.
func (s *Set) Refreshed(p Subject, read Contents, seen func(id string) bool) *Set {
	fresh := &Set{
		platform: s.platform, version: s.version, stats: s.stats, invalid: s.invalid,
		entries: make(map[key]*entry), cut: make(map[string][]key), longer: make(map[string][]string),
	}
	names, cut := p.Names()
	names = append(names, s.longer[cut]...)
	for _, name := range names {
		for _, platform := range s.lookups() {
			fresh.inherit(key{name, platform}, s, seen)
		}
	}
	fresh.addDocuments(nil, MongoDB, storedOf(read.Store))
	fresh.addRules(nil, read.Rules)
	fresh.addInvalid(nil, read.Invalid)
	fresh.cutNames()
	return fresh
}

// inherit takes over what another set has about a name, but for the documents of
// the store.
func (s *Set) inherit(k key, from *Set, seen func(id string) bool) {
	e := from.entries[k]
	if e == nil || s.entries[k] != nil {
		return
	}
	mine := s.at(k.name, k.platform)
	mine.documents = slices.DeleteFunc(slices.Clone(e.documents), func(d sourced) bool { return d.source == MongoDB })
	mine.invalid = slices.DeleteFunc(slices.Clone(e.invalid), func(in *Invalid) bool { return seen(in.ID) })
}
