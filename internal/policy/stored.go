package policy

import (
	"encoding/json"
	"sync/atomic"
)

// stored is a document of a set. Of the embedded ones, few are ever looked at on
// one machine: they stay the text that they are in the program until then.
type stored struct {
	key
	digest digest
	denies bool
	text   string // the JSON of an embedded document, else empty
	ready  atomic.Pointer[Document]
}

// document is the document itself, kept from now on.
func (s *stored) document() *Document {
	if d := s.ready.Load(); d != nil {
		return d
	}
	s.ready.CompareAndSwap(nil, s.decode())
	return s.ready.Load()
}

// passing is the document for somebody who looks at all of them and keeps none.
func (s *stored) passing() *Document {
	if d := s.ready.Load(); d != nil {
		return d
	}
	return s.decode()
}

func (s *stored) decode() *Document {
	d := new(Document)
	if err := json.Unmarshal([]byte(s.text), d); err != nil {
		panic("policy: " + s.name + ": " + err.Error())
	}
	d.prepared = &prepared{paths: compilePaths(d), digest: s.digest}
	return d
}

// storedOf makes documents those of a set.
func storedOf(documents []Document) []*stored {
	all := make([]*stored, len(documents))
	for i := range documents {
		d := prepare(&documents[i])
		all[i] = &stored{key: key{d.Name, d.Platform}, digest: d.prepared.digest, denies: d.Denies()}
		all[i].ready.Store(d)
	}
	return all
}
