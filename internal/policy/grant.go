package policy

// Grant says why automation may end a process: by a document or by a rule.
type Grant struct {
	Document *Document
	Source   Source
	Rule     *Rule
}

// AutoTerminate tells whether policy lets automation end a process, nil where it
// does not. That takes the name of an executable that nobody can have forged,
// and that nothing forbids it.
func (s *Set) AutoTerminate(p Subject) *Grant {
	name, ok := p.trustedName()
	if !ok || s.Denial(p) != nil {
		return nil
	}
	if d, source := s.find(name, p.Exe); d != nil && d.AutoTerminate {
		return &Grant{Document: d, Source: source}
	}
	for _, rule := range s.rules {
		if rule.grants(&p) {
			return &Grant{Rule: rule, Source: MongoDB}
		}
	}
	return nil
}
