package main

import (
	"strings"
	"testing"
)

// Messages as govulncheck prints them, less what is not read.
const (
	known = `{"config":{"protocol_version":"v1.0.0"}}
{"osv":{"id":"GO-1","summary":"Out of bounds"}}
`
	required = `{"finding":{"osv":"GO-1","fixed_version":"v0.3.7","trace":[
{"module":"golang.org/x/text","version":"v0.3.5"}]}}
`
	imported = `{"finding":{"osv":"GO-1","fixed_version":"v0.3.7","trace":[
{"module":"golang.org/x/text","version":"v0.3.5","package":"golang.org/x/text/language"}]}}
`
	called = `{"finding":{"osv":"GO-1","fixed_version":"v0.3.7","trace":[
{"module":"golang.org/x/text","version":"v0.3.5","package":"golang.org/x/text/language","function":"Parse"},
{"module":"m","package":"m","function":"main"}]}}
`
	method = `{"finding":{"osv":"GO-1","trace":[
{"module":"golang.org/x/text","version":"v0.3.5","package":"golang.org/x/text/language","receiver":"*Tag","function":"Set"}]}}
`
	release = `{"finding":{"osv":"GO-2","fixed_version":"v1.26.9","trace":[
{"module":"stdlib","version":"v1.26.8","package":"net/http","function":"ListenAndServe"}]}}
`
	releaseUncalled = `{"finding":{"osv":"GO-2","fixed_version":"v1.26.9","trace":[
{"module":"stdlib","version":"v1.26.8","package":"net/http"}]}}
`
)

func TestFindings(t *testing.T) {
	tests := []struct {
		name     string
		messages string
		strict   bool
		fails    bool
		says     string
	}{
		{name: "nothing", messages: `{"config":{}}`, says: "0 in modules, 0 in the Go release; in modules but not called: 0\n"},
		{name: "known but not used", messages: known, strict: true, says: "0 in modules, 0 in the Go release; in modules but not called: 0\n"},
		{name: "required", messages: known + required, says: "GO-1 in golang.org/x/text v0.3.5 is not called: Out of bounds\n"},
		{name: "imported", messages: known + required + imported, says: "in modules but not called: 1\n"},
		{name: "called", messages: known + required + imported + called, fails: true,
			says: "GO-1 in golang.org/x/text v0.3.5, fixed in v0.3.7: Out of bounds\n\tcalls golang.org/x/text/language.Parse\n"},
		{name: "method without a fix", messages: known + method, fails: true,
			says: "v0.3.5, not fixed yet: Out of bounds\n\tcalls golang.org/x/text/language.*Tag.Set\n"},
		{name: "called by several traces", messages: known + called + method, fails: true, says: "1 in modules"},
		{name: "release", messages: release, says: "0 in modules, 1 in the Go release"},
		{name: "release, strict", messages: release, strict: true, fails: true, says: "calls net/http.ListenAndServe"},
		{name: "release but not called, strict", messages: releaseUncalled, strict: true, says: "0 in the Go release"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found := findings{}
			if err := found.read(strings.NewReader(test.messages)); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			err := found.report(&out, test.strict)
			if (err != nil) != test.fails {
				t.Errorf("error %v, want one: %t", err, test.fails)
			}
			if !strings.Contains(out.String(), test.says) {
				t.Errorf("%q is not in:\n%s", test.says, out.String())
			}
		})
	}
}

func TestReadRefusesWhatIsNotJSON(t *testing.T) {
	if err := (findings{}).read(strings.NewReader("{}\ngo: no packages")); err == nil {
		t.Error("no error")
	}
}
