package token

import (
	"slices"
	"sync"
	"time"
)

// Accepter accepts tokens; [Keeper] and [Memory] do.
type Accepter interface {
	// Accept returns what is kept of a token that holds now.
	Accept(secret string) (Record, error)
	// Knows tells whether there is a token with that id, whether or not it has
	// expired.
	Knows(id string) bool
}

// Memory holds tokens that are good for this run of the program: they are
// written nowhere. Its zero value holds none.
type Memory struct {
	mu      sync.Mutex
	records []Record
}

// Create makes a token and returns it. It cannot be shown again.
func (m *Memory) Create(name string, role Role) (secret string, r Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	secret, r = generate(name, role, time.Now(), time.Time{})
	m.records = append(m.records, r)
	return secret, r
}

// Accept implements [Accepter].
func (m *Memory) Accept(secret string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return find(m.records, secret, time.Now())
}

// Knows implements [Accepter].
func (m *Memory) Knows(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.records, func(r Record) bool { return r.ID == id })
}

// Any accepts what any of several accepters does: one that cannot read its file
// does not keep the others from it.
type Any []Accepter

// Accept implements [Accepter].
func (a Any) Accept(secret string) (Record, error) {
	id, err := ID(secret)
	if err != nil {
		return Record{}, err
	}
	responsible := a[0] // who does not know the token takes as long to say so
	for _, accepter := range a {
		if accepter.Knows(id) {
			responsible = accepter
		}
	}
	return responsible.Accept(secret)
}

// Knows implements [Accepter].
func (a Any) Knows(id string) bool {
	return slices.ContainsFunc(a, func(accepter Accepter) bool { return accepter.Knows(id) })
}
