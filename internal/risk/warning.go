package risk

import "server-monitor/internal/process"

// Code names a kind of warning. Codes are stable and the same in every
// language.
type Code string

// The warnings; design section 5 says when each is found.
const (
	RunningAsRoot   Code = "RUNNING_AS_ROOT"
	PublicPort      Code = "PUBLIC_PORT"
	SystemPort      Code = "SYSTEM_PORT"
	HighMemoryUsage Code = "HIGH_MEMORY_USAGE"
	SuspiciousPath  Code = "SUSPICIOUS_PATH"
	DeletedExe      Code = "DELETED_EXE"
	FilelessExe     Code = "FILELESS_EXE"
	Masquerade      Code = "MASQUERADE"
	WritableExe     Code = "WRITABLE_EXE"
)

// Codes lists all warnings in the order of the design.
var Codes = []Code{
	RunningAsRoot, PublicPort, SystemPort, HighMemoryUsage, SuspiciousPath,
	DeletedExe, FilelessExe, Masquerade, WritableExe,
}

// Severity says how much a warning weighs.
type Severity uint8

// The severities, from the lightest.
const (
	Info Severity = iota
	Warn
	Danger
)

// String is the label value: "info", "warn" or "danger".
func (s Severity) String() string { return [...]string{"info", "warn", "danger"}[s] }

// Warning is one finding about a process.
type Warning struct {
	Code     Code
	Severity Severity
	// Subject is what the warning is about: the port number of PUBLIC_PORT and
	// SYSTEM_PORT, the path of SUSPICIOUS_PATH, DELETED_EXE, FILELESS_EXE and
	// WRITABLE_EXE, the claimed name of MASQUERADE; empty for the others.
	Subject string
	// Expected tells that policy calls the warning normal for the process: it
	// is shown but does not count.
	Expected bool
	// Scope is the widest scope that a port was found open in; meaningful for
	// PUBLIC_PORT and SYSTEM_PORT only.
	Scope process.Scope
	// Foreign tells that the port is open in another network namespace only, a
	// container's: it is reached over what that namespace is wired to.
	Foreign bool
}

// String is the warning as people write it: "PUBLIC_PORT(22)".
func (w Warning) String() string {
	if w.Code == PublicPort || w.Code == SystemPort {
		return string(w.Code) + "(" + w.Subject + ")"
	}
	return string(w.Code)
}

// Verdict is the judgement of a process as a whole.
type Verdict uint8

// The verdicts, as the metric process_verdict encodes them.
const (
	Safe Verdict = iota
	Caution
	Dangerous
)

// Verdicts lists all verdicts.
var Verdicts = []Verdict{Safe, Caution, Dangerous}

// String is the label value: "safe", "caution" or "danger".
func (v Verdict) String() string { return [...]string{"safe", "caution", "danger"}[v] }

// Dot is the verdict as a coloured dot.
func (v Verdict) Dot() string { return [...]string{"🟢", "🟡", "🔴"}[v] }
