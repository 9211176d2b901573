package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// standardLibrary is the module name that govulncheck gives to a Go release.
const standardLibrary = "stdlib"

// findings are the vulnerabilities of a scan by their number.
type findings map[string]*finding

// finding is one vulnerability.
type finding struct {
	summary string
	// module, version and fixed tell where it is; empty for an entry of the
	// database that concerns a module but nothing the program uses.
	module, version, fixed string
	// call is the vulnerable function, empty where the program does not
	// call any.
	call string
}

// message is what this program reads of a message of govulncheck.
type message struct {
	OSV *struct {
		ID      string `json:"id"`
		Summary string `json:"summary"`
	} `json:"osv"`
	Finding *struct {
		OSV          string  `json:"osv"`
		FixedVersion string  `json:"fixed_version"`
		Trace        []frame `json:"trace"`
	} `json:"finding"`
}

// frame is a step of a trace; the vulnerable symbol comes first.
type frame struct {
	Module   string `json:"module"`
	Version  string `json:"version"`
	Package  string `json:"package"`
	Function string `json:"function"`
	Receiver string `json:"receiver"`
}

// read takes in the messages of one scan.
func (f findings) read(r io.Reader) error {
	decoder := json.NewDecoder(r)
	for {
		var m message
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if m.OSV != nil {
			f.of(m.OSV.ID).summary = m.OSV.Summary
		}
		if m.Finding == nil || len(m.Finding.Trace) == 0 {
			continue
		}
		found, first := f.of(m.Finding.OSV), m.Finding.Trace[0]
		found.module, found.version, found.fixed = first.Module, first.Version, m.Finding.FixedVersion
		if first.Function != "" && found.call == "" {
			found.call = first.Package + "." + first.Function
			if first.Receiver != "" {
				found.call = first.Package + "." + first.Receiver + "." + first.Function
			}
		}
	}
}

func (f findings) of(id string) *finding {
	if f[id] == nil {
		f[id] = &finding{}
	}
	return f[id]
}

// report prints what is found and fails where the program calls a vulnerable
// function: of a module always, of the Go release if strict.
func (f findings) report(w io.Writer, strict bool) error {
	called, uncalled, release := 0, 0, 0
	for _, id := range slices.Sorted(maps.Keys(f)) {
		found := f[id]
		switch {
		case found.module == "" || found.module == standardLibrary && found.call == "":
			continue
		case found.call == "":
			uncalled++
			fmt.Fprintf(w, "%s in %s %s is not called: %s\n", id, found.module, found.version, found.summary)
			continue
		case found.module == standardLibrary:
			release++
		default:
			called++
		}
		fmt.Fprintf(w, "%s in %s %s, %s: %s\n\tcalls %s\n",
			id, found.module, found.version, fix(found.fixed), found.summary, found.call)
	}
	fmt.Fprintf(w, "vulnerabilities that the program calls: %d in modules, %d in the Go release; "+
		"in modules but not called: %d\n", called, release, uncalled)
	switch {
	case called > 0:
		return fmt.Errorf("%d vulnerabilities in modules", called)
	case release > 0 && strict:
		return fmt.Errorf("%d vulnerabilities in the Go release; build with a newer one", release)
	}
	return nil
}

func fix(version string) string {
	if version == "" {
		return "not fixed yet"
	}
	return "fixed in " + version
}
