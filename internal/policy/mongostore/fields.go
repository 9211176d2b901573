package mongostore

import (
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// fields reads the fields of a document by their types, and notes what is wrong
// with them. A field of a wrong type counts as absent.
type fields struct {
	// names and values belong together by their index.
	names    []string
	values   []bson.RawValue
	prefix   string
	problems *[]policy.Problem
	subject  func() string
}

// readFields takes a document apart. A field that is there twice is wrong: which
// of the two would hold?
func readFields(raw bson.Raw, subject func() string, problems *[]policy.Problem) *fields {
	f := &fields{problems: problems, subject: subject}
	f.fill(raw)
	return f
}

// manyFields is from where on fields are not searched one after the other.
const manyFields = 64

func (f *fields) fill(raw bson.Raw) {
	elements, err := raw.Elements()
	if err != nil {
		f.grave("", "is broken BSON: %v", err)
	}
	f.names, f.values = make([]string, 0, len(elements)), make([]bson.RawValue, 0, len(elements))
	var seen map[string]bool
	if len(elements) > manyFields {
		seen = make(map[string]bool, len(elements))
	}
	for _, element := range elements {
		name := element.Key()
		if seen[name] || seen == nil && slices.Contains(f.names, name) {
			f.grave(name, "is there twice")
			continue
		}
		if seen != nil {
			seen[name] = true
		}
		f.names, f.values = append(f.names, name), append(f.values, element.Value())
	}
}

func (f *fields) note(grave bool, name, format string, args ...any) {
	*f.problems = append(*f.problems, policy.Problem{
		Document: f.subject(), Field: process.Printable(f.prefix + name), Grave: grave,
		Text: process.Printable(fmt.Sprintf(format, args...)),
	})
}

func (f *fields) grave(name, format string, args ...any) { f.note(true, name, format, args...) }

// take finds a field of one of the types.
func (f *fields) take(name, want string, required bool, types ...bson.Type) (bson.RawValue, bool) {
	at := slices.Index(f.names, name)
	if at < 0 {
		if required {
			f.grave(name, "is missing")
		}
		return bson.RawValue{}, false
	}
	value := f.values[at]
	if slices.Contains(types, value.Type) {
		return value, true
	}
	f.grave(name, "is of type %s: want %s", value.Type, want)
	return value, false
}

// text reads a string.
func (f *fields) text(name string, required bool) string {
	value, ok := f.take(name, "a string", required, bson.TypeString)
	if !ok {
		return ""
	}
	text, ok := value.StringValueOK()
	if !ok || !utf8.ValidString(text) {
		f.grave(name, "is a broken string")
	}
	return text
}

// boolean reads true or false.
func (f *fields) boolean(name string, required bool) bool {
	value, ok := f.take(name, "a bool", required, bson.TypeBoolean)
	if !ok {
		return false
	}
	b, ok := value.BooleanOK()
	if !ok {
		f.grave(name, "is a broken bool")
	}
	return b
}

// date reads a moment.
func (f *fields) date(name string) time.Time {
	value, ok := f.take(name, "a date", false, bson.TypeDateTime)
	if !ok {
		return time.Time{}
	}
	ms, ok := value.DateTimeOK()
	if !ok {
		f.grave(name, "is a broken date")
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// number reads any number; shells write whole ones as doubles too.
func (f *fields) number(name string) float64 {
	value, ok := f.take(name, "a number", false, bson.TypeDouble, bson.TypeInt32, bson.TypeInt64)
	if !ok {
		return 0
	}
	n, ok := value.AsFloat64OK()
	if !ok || math.IsNaN(n) || math.IsInf(n, 0) {
		f.grave(name, "is no number")
		return 0
	}
	return n
}

// integer reads a whole number.
func (f *fields) integer(name string) int64 {
	n := f.number(name)
	if n != math.Trunc(n) || math.Abs(n) > 1<<53 {
		f.grave(name, "is %v: want a whole number", n)
		return 0
	}
	return int64(n)
}

// texts reads an array of strings.
func (f *fields) texts(name string) []string {
	value, ok := f.take(name, "an array of strings", false, bson.TypeArray)
	if !ok {
		return nil
	}
	array, ok := value.ArrayOK()
	values, err := array.Values()
	if !ok || err != nil {
		f.grave(name, "is a broken array")
		return nil
	}
	all := make([]string, 0, len(values))
	for i, element := range values {
		text, ok := element.StringValueOK()
		if !ok || !utf8.ValidString(text) {
			f.grave(fmt.Sprintf("%s[%d]", name, i), "is of type %s: want a string", element.Type)
			continue
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// within reads the fields of an embedded document, nil where there is none.
func (f *fields) within(name string, required bool) *fields {
	value, ok := f.take(name, "a document", required, bson.TypeEmbeddedDocument)
	if !ok {
		return nil
	}
	raw, ok := value.DocumentOK()
	if !ok {
		f.grave(name, "is a broken document")
		return nil
	}
	inner := &fields{problems: f.problems, subject: f.subject, prefix: f.prefix + name + "."}
	inner.fill(raw)
	return inner
}

// byLanguage reads a document of strings.
func (f *fields) byLanguage(name string) map[string]string {
	inner := f.within(name, false)
	if inner == nil || len(inner.names) == 0 {
		return nil
	}
	all := make(map[string]string, len(inner.names))
	for _, language := range inner.names {
		all[language] = inner.text(language, false)
	}
	return all
}

// unknown notes every field that has not one of the names.
func (f *fields) unknown(grave bool, known map[string]bool) {
	for _, name := range f.names {
		if known[name] {
			continue
		}
		if grave {
			f.grave(name, "is not known")
		} else {
			f.note(false, name, "is not known and left alone")
		}
	}
}

// names makes a set of names.
func names(all ...string) map[string]bool {
	set := make(map[string]bool, len(all))
	for _, name := range all {
		set[name] = true
	}
	return set
}
