package mongostore

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// ID is an _id as the server holds it: its BSON type and bytes. It can be
// compared.
type ID string

// idOf reads the _id of a document; there is none in one from a file.
func idOf(raw bson.Raw) ID {
	value := raw.Lookup("_id")
	if value.Type == 0 {
		return ""
	}
	return ID(append([]byte{byte(value.Type)}, value.Value...))
}

// value is the _id to ask the server for.
func (id ID) value() bson.RawValue {
	if id == "" {
		return bson.RawValue{Type: bson.TypeNull}
	}
	return bson.RawValue{Type: bson.Type(id[0]), Value: []byte(id[1:])}
}

// String is the _id as people write it, safe to show.
func (id ID) String() string {
	if id == "" {
		return ""
	}
	value := id.value()
	if oid, ok := value.ObjectIDOK(); ok {
		return oid.Hex()
	}
	if text, ok := value.StringValueOK(); ok {
		return process.Printable(text)
	}
	return process.Printable(value.String())
}

// Stamp is by what a change of a document is noticed without reading it.
type Stamp struct {
	ID ID
	// Updated is its updated_at, zero where there is none.
	Updated time.Time
}

// Entry is one document of known_processes as it was read.
type Entry struct {
	Stamp
	// Document is what the document says; it holds only where Invalid is nil.
	Document policy.Document
	// Invalid is set where the document is malformed.
	Invalid *policy.Invalid
	// Problems are all that is wrong with it, what is only advice too.
	Problems []policy.Problem
}

// RuleEntry is one document of process_rules as it was read.
type RuleEntry struct {
	ID       ID
	Rule     policy.Rule
	Invalid  *policy.Invalid
	Problems []policy.Problem
}

// Contents sorts what was read into what a set is made of.
func Contents(entries []Entry, rules []RuleEntry) policy.Contents {
	var c policy.Contents
	for i := range entries {
		if e := &entries[i]; e.Invalid != nil {
			c.Invalid = append(c.Invalid, *e.Invalid)
		} else {
			c.Store = append(c.Store, e.Document)
		}
	}
	for i := range rules {
		if r := &rules[i]; r.Invalid != nil {
			c.Invalid = append(c.Invalid, *r.Invalid)
		} else {
			c.Rules = append(c.Rules, r.Rule)
		}
	}
	return c
}
