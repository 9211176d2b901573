package policy

import (
	"slices"
	"strings"
)

// The collections of the store.
const (
	KnownProcesses = "known_processes"
	ProcessRules   = "process_rules"
)

// Invalid is a document or rule of the store that is malformed. It denies: what
// cannot be read might have protected something.
type Invalid struct {
	// Collection is where it is, ID what its _id is, for people to find it.
	Collection string `json:"collection"`
	ID         string `json:"id"`
	// Name and Platform are what could be read of a document: it protects that
	// name. Without a platform it does on every one.
	Name     string   `json:"name,omitempty"`
	Platform Platform `json:"platform,omitempty"`
	// Rule is what could be read of a rule that may protect: it protects what
	// meets the conditions that could be read, everything where there are none.
	Rule *Rule `json:"-"`
	// Problems say what is wrong.
	Problems []Problem `json:"problems"`
}

// addInvalid lets what is malformed deny.
func (s *Set) addInvalid(digests []digest, invalid []Invalid) []digest {
	for i := range invalid {
		in := &invalid[i]
		digests = append(digests, digestJSON(in))
		s.invalid = append(s.invalid, *in)
		if in.Rule != nil {
			rule, broken := *in.Rule, *in
			rule.compile()
			broken.Rule = &rule
			s.broken = append(s.broken, &broken)
		}
		if in.Name == "" {
			continue
		}
		platforms := []Platform{in.Platform}
		if !slices.Contains(Platforms, in.Platform) {
			platforms = Platforms
		}
		for _, platform := range platforms {
			e := s.at(strings.ToLower(in.Name), platform)
			e.invalid = append(e.invalid, in)
		}
	}
	slices.SortFunc(s.broken, func(a, b *Invalid) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(s.invalid, byID)
	return digests
}

// byID orders what is malformed for people.
func byID(a, b Invalid) int {
	if order := strings.Compare(a.Collection, b.Collection); order != 0 {
		return order
	}
	if order := strings.Compare(a.Name, b.Name); order != 0 {
		return order
	}
	return strings.Compare(a.ID, b.ID)
}
