//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// report is what "scan -o json" prints, as far as the tests look at it.
type report struct {
	Verdicts       map[string]int
	Excluded       int
	UnownedSockets int    `json:"unowned_sockets"`
	PolicyState    string `json:"policy_state"`
	Processes      []reported
}

// reported is one process of a report.
type reported struct {
	PID, PPID     int
	Identity      string
	Name, Exe     string
	User, TTY     string
	Unit          string
	State         string
	StartTime     time.Time `json:"start_time"`
	CPUSeconds    float64   `json:"cpu_seconds"`
	ResidentBytes uint64    `json:"resident_memory_bytes"`
	Threads       int
	Listen        []socket
	Verdict       string
	Known         bool
	Role, Summary string
	Findings      []finding
	Unseen        []string
}

// socket is a socket that waits for peers.
type socket struct {
	Protocol, Address string
	Port              uint16
	Scope             string
}

// finding is one warning about a process.
type finding struct {
	Warning, Severity string
	Expected          bool
	Text, Advice      string
}

// readReport reads what "scan -o json" has printed. A field that the program
// does not print any more stays empty, so the tests look at all of them.
func readReport(t *testing.T, text string) *report {
	t.Helper()
	r := new(report)
	if err := json.Unmarshal([]byte(text), r); err != nil {
		t.Fatalf("scan -o json: %v\n%s", err, text)
	}
	return r
}

// find returns the processes that a condition picks.
func (r *report) find(picks func(*reported) bool) []*reported {
	var found []*reported
	for i := range r.Processes {
		if picks(&r.Processes[i]) {
			found = append(found, &r.Processes[i])
		}
	}
	return found
}

// String describes a process with its warnings, for messages of tests.
func (p *reported) String() string {
	var text strings.Builder
	known := "unknown"
	if p.Known {
		known = "known"
	}
	text.WriteString(strings.Join([]string{p.Verdict, known, p.Name, p.Exe, p.User, p.Unit, p.State}, " | "))
	for _, f := range p.Findings {
		text.WriteString("\n    " + f.Severity + " " + f.Warning)
		if f.Expected {
			text.WriteString(" (expected)")
		}
		text.WriteString(": " + f.Text + " " + f.Advice)
	}
	return text.String()
}
