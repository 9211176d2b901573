package service

import "strings"

// Words of systemd's D-Bus interface (org.freedesktop.systemd1(5)).
const (
	loadLoaded   = "loaded"
	loadNotFound = "not-found"
	unitInactive = "inactive"
	subExited    = "exited"
)

// unitStates maps systemd's ActiveState to ours.
var unitStates = map[string]State{
	"active":       Active,
	"activating":   Activating,
	"deactivating": Deactivating,
	"reloading":    Reloading,
	"refreshing":   Reloading, // since 257: it runs on while its extensions are mounted anew
	unitInactive:   Inactive,
	"maintenance":  Inactive, // "systemctl clean" is at work on a unit that is stopped
	"failed":       Failed,
}

// unitState maps what systemd says of a unit. What a unit does counts for more
// than whether its file can be loaded: one that was removed or masked while it
// ran goes on, and one that had failed stays so. A masked unit that does
// nothing is inactive as "systemctl is-active" has it: it is there, and
// somebody forbade it to start.
func unitState(load, active string) State {
	if load == loadNotFound && active == unitInactive {
		return NotFound
	}
	if state, ok := unitStates[active]; ok {
		return state
	}
	return Unsupported
}

// unitSub is the finer state of a unit, or why it cannot be started.
func unitSub(load, active, sub string) string {
	switch {
	case active != unitInactive || load == loadLoaded:
		return sub
	case load == loadNotFound:
		return ""
	}
	return load
}

// worthReporting tells whether a unit that nobody configured is reported.
// systemd also lists what other units only refer to, and what was masked; of
// those nothing is expected.
func worthReporting(load, active string) bool {
	return active != unitInactive || load != loadNotFound && load != "masked"
}

// canBeUnit tells whether systemd takes a name for that of a unit (unit_name
// in its source): it refuses a whole question for one name that is not.
func canBeUnit(name string) bool {
	if name == "" || len(name)+len(unitSuffix) > 255 || strings.HasPrefix(name, "@") || strings.HasSuffix(name, "@") {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && !isDigit(c) && !strings.ContainsRune(`:-_.\@`, rune(c)) {
			return false
		}
	}
	return true
}

// cutUnitSuffix returns the name of a service without ".service".
func cutUnitSuffix(id string) (name string, ok bool) {
	name, ok = strings.CutSuffix(id, unitSuffix)
	return name, ok && name != ""
}
