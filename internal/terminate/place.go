package terminate

import (
	"slices"
	"strconv"
	"strings"
)

// Place is what the path of a cgroup says of a process.
type Place struct {
	// Top is the first folder: "user.slice", "system.slice", "init.scope".
	Top string
	// UID is the user whose session or systemd manages the process, -1 where
	// it is in no login session.
	UID int
	// Unit is the session or manager: "session-3.scope", "user@1000.service".
	// Outside of a login session it is the unit of the system.
	Unit string
	// UserUnit is the unit of the user's own systemd. The user owns that part of
	// the tree, so it may bear any name.
	UserUnit string
	// Container is the id or name of a container.
	Container string
}

// The folders at the top of systemd's tree.
const (
	userSlice    = "user.slice"
	systemSlice  = "system.slice"
	machineSlice = "machine.slice"
	initScope    = "init.scope"
)

// placeOf reads the path of a cgroup (cgroups(7)) from the left and no further
// than root owns it, for below the manager of a user that user may make
// folders of any name.
func placeOf(path string) Place {
	p := Place{UID: -1}
	if !strings.HasPrefix(path, "/") {
		return p
	}
	parts := strings.Split(path[1:], "/")
	p.Top = parts[0]
	if p.Top == userSlice && len(parts) >= 3 {
		p.readLogin(parts[1], parts[2], parts[3:])
	}
	if p.UID < 0 {
		if i := slices.IndexFunc(parts, isUnit); i >= 0 {
			p.Unit = parts[i]
		}
	}
	return p
}

// readLogin reads what is below user.slice: "user-1000.slice", and in it a
// session or the user's systemd, which must be of the same user.
func (p *Place) readLogin(slice, unit string, below []string) {
	uid, ok := sliceUID(slice)
	if !ok {
		return
	}
	manager, managed := managerUID(unit)
	if !isSession(unit) && !(managed && manager == uid) {
		return
	}
	p.UID, p.Unit = uid, unit
	if !managed {
		return
	}
	if i := slices.IndexFunc(below, isUnit); i >= 0 {
		p.UserUnit = below[i]
	}
}

// isUnit tells the folder of a service or scope.
func isUnit(part string) bool {
	return strings.HasSuffix(part, ".service") || strings.HasSuffix(part, ".scope")
}

// managerUID reads the uid of "user@1000.service", the systemd of a user.
func managerUID(unit string) (int, bool) { return uidBetween(unit, "user@", ".service") }

// sliceUID reads the uid of "user-1000.slice", below which all sessions of a
// user are.
func sliceUID(slice string) (int, bool) { return uidBetween(slice, "user-", ".slice") }

// uidBetween reads a uid in the one form that systemd writes.
func uidBetween(name, prefix, suffix string) (int, bool) {
	digits, ok := between(name, prefix, suffix)
	if !ok {
		return 0, false
	}
	uid, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || strconv.FormatUint(uid, 10) != digits {
		return 0, false
	}
	return int(uid), true
}

// isSession tells the scope of a login session, "session-3.scope".
func isSession(unit string) bool {
	id, ok := between(unit, "session-", ".scope")
	return ok && id != ""
}

// between cuts a prefix and a suffix that do not overlap.
func between(s, prefix, suffix string) (string, bool) {
	s, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(s, suffix)
}
