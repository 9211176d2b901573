package terminate

import (
	"encoding/json"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// Code names a reason not to end a process. Codes are stable and the same in
// every language.
type Code string

// Kind groups reasons by what can be done about them.
type Kind uint8

// The kinds of reasons.
const (
	// Protected reasons are guards: nobody can lift them.
	Protected Kind = iota
	// Missing reasons say that there is no such process.
	Missing
	// Conflict reasons say that the process is not what the request, or an
	// earlier check, took it for.
	Conflict
	// Forbidden reasons come from policy.
	Forbidden
	// Unavailable reasons pass: what is needed cannot be reached now.
	Unavailable
	// Unsupported reasons hold for this machine as long as it is what it is.
	Unsupported
)

// String is the name of the kind in JSON.
func (k Kind) String() string {
	return [...]string{"protected", "missing", "conflict", "forbidden", "unavailable", "unsupported"}[k]
}

// Reason is one reason why a process is not ended.
type Reason struct {
	Code Code
	Kind Kind
	// Text is one sentence for people.
	Text language.Text
	// Detail is the fact behind it, where the sentence does not say it all: a
	// path, a unit, a list of uids. It is safe to show.
	Detail string
}

// with gives a reason its detail, made safe to show.
func (r Reason) with(detail string) Reason {
	r.Detail = process.Printable(detail)
	return r
}

// MarshalJSON writes the reason with its sentence in English and Korean.
func (r Reason) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Code   Code   `json:"code"`
		Kind   string `json:"kind"`
		Text   string `json:"text"`
		Korean string `json:"text_ko"`
		Detail string `json:"detail,omitempty"`
	}{r.Code, r.Kind.String(), r.Text.English, r.Text.Korean, r.Detail})
}

// Codes lists the codes of reasons in their order.
func Codes(reasons []Reason) []Code {
	codes := make([]Code, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
	}
	return codes
}
