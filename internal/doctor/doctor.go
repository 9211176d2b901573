// Package doctor tells whether server-monitor can do its work on this machine:
// what works, what is degraded, and how to mend it. Gather asks the machine,
// Examine judges what was found; the latter are pure functions.
package doctor

import (
	"fmt"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// Level is how grave a finding is.
type Level int

// The levels, the best first.
const (
	// OK says that all works.
	OK Level = iota
	// Degraded says that server-monitor runs, but sees or does less.
	Degraded
	// Failed says that something that is configured or needed does not work.
	Failed
)

// String is the code of a level, the same in every language.
func (l Level) String() string { return [...]string{"ok", "degraded", "failed"}[l] }

// MarshalText implements [encoding.TextMarshaler].
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is what is to be said of one thing that was looked at.
type Finding struct {
	// Check is the code of what was looked at, the same in every language.
	Check string
	Level Level
	// Found says what works, or what is lost. It is safe to show.
	Found language.Text
	// Remedy says how to mend it; empty where all is well.
	Remedy language.Text
}

// Examine judges all facts, in a fixed order.
func Examine(f *Facts) []Finding {
	var found []Finding
	for _, check := range []func(*Facts) []Finding{
		checkKernel, checkCapabilities, checkProc, checkSystemd, checkJournal, checkWindows, checkPolicy,
		checkTokens, checkAudit, checkListeners, checkFiles, checkClock, checkLanguage,
	} {
		found = append(found, check(f)...)
	}
	return found
}

// Worst is the gravest level of all findings.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		worst = max(worst, f.Level)
	}
	return worst
}

// say makes a text of two formats that take the same arguments. What is not a
// number may come from anywhere and is made safe to show.
func say(english, korean string, args ...any) language.Text {
	for i, arg := range args {
		switch a := arg.(type) {
		case string:
			args[i] = process.Printable(a)
		case error:
			args[i] = process.Printable(a.Error())
		}
	}
	return language.Text{English: fmt.Sprintf(english, args...), Korean: fmt.Sprintf(korean, args...)}
}

// fine is a finding of something that works.
func fine(check string, found language.Text) []Finding {
	return []Finding{{Check: check, Level: OK, Found: found}}
}
