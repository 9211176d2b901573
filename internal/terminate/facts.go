package terminate

import (
	"strconv"
	"strings"

	"server-monitor/internal/process"
)

// Facts are what the guards look at in a process.
type Facts struct {
	process.Identity
	PPID    int
	Comm    string
	State   process.State
	Kernel  bool
	Threads int
	// Session is the POSIX session id, TTY the controlling terminal.
	Session int
	TTY     string
	// UIDs are the user ids: real, effective, saved and of the file system; the
	// effective one alone in a snapshot.
	UIDs []int
	// LoginUID is the audit id of the login, -1 where it is not set. Anybody may
	// set one that is not, so it proves little.
	LoginUID int
	// Place is where the process is in the tree of cgroups.
	Place Place
	// Namespaces are those it lives in.
	Namespaces process.Namespaces
	// Name, Exe, Argv0 and Script are as in [process.Facts].
	Name, Exe, Argv0, Script string
	// User is the name of the effective user.
	User string
	// File is what is known of the executable.
	File process.File
	// Unreadable names the facts that could not be read.
	Unreadable []string
}

// Place is what the path of a cgroup, read from the left, says of a process.
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

// ended tells a process of which nothing runs any more. The leader of a group
// may be a zombie while other threads live on.
func (f *Facts) ended() bool {
	return f.State == process.Dead || f.State == process.Zombie && f.Threads <= 1
}

// SnapshotFacts are what a snapshot knows of a process. It knows less than the
// live process tells: one uid of four, no audit id, and of a session only that
// it is somebody's, so the guards on it are for showing, never for acting.
func SnapshotFacts(p *process.Process) *Facts {
	f := &Facts{
		Identity: p.Identity, PPID: p.PPID, Comm: p.Comm, State: p.State, Kernel: p.Kernel, Threads: p.Threads,
		Session: p.Session, TTY: p.TTY, UIDs: []int{p.UID}, LoginUID: -1, Namespaces: p.Namespaces,
		Name: p.Name, Exe: p.Exe, Argv0: p.Argv0, Script: p.Script, User: p.User, File: p.File,
		Place: Place{Top: p.Slice, UID: -1, Unit: p.Unit, UserUnit: p.UserUnit, Container: p.Container},
	}
	if f.Place.Top == "" {
		f.Place.Top = p.Unit
	}
	if p.Slice == userSlice {
		if uid, ok := managerUID(p.Unit); ok {
			f.Place.UID = uid
		} else if isSession(p.Unit) {
			f.Place.UID = p.UID
		}
	}
	for fact := range (p.Denied &^ process.DeniedSockets).All() {
		f.Unreadable = append(f.Unreadable, fact.String())
	}
	return f
}

// The folders at the top of systemd's tree.
const (
	userSlice    = "user.slice"
	systemSlice  = "system.slice"
	machineSlice = "machine.slice"
	initScope    = "init.scope"
)

// managerUID reads the uid of "user@1000.service", the systemd of a user.
func managerUID(unit string) (int, bool) {
	digits, ok := strings.CutPrefix(unit, "user@")
	if digits, ok = cutSuffix(digits, ".service", ok); !ok {
		return 0, false
	}
	return parseUID(digits)
}

// sliceUID reads the uid of "user-1000.slice", below which all sessions of a
// user are.
func sliceUID(slice string) (int, bool) {
	digits, ok := strings.CutPrefix(slice, "user-")
	if digits, ok = cutSuffix(digits, ".slice", ok); !ok {
		return 0, false
	}
	return parseUID(digits)
}

// isSession tells the scope of a login session, "session-3.scope".
func isSession(unit string) bool {
	id, ok := strings.CutPrefix(unit, "session-")
	id, ok = cutSuffix(id, ".scope", ok)
	return ok && id != ""
}

// cutSuffix is strings.CutSuffix for what an earlier cut has found.
func cutSuffix(s, suffix string, found bool) (string, bool) {
	if !found {
		return "", false
	}
	return strings.CutSuffix(s, suffix)
}

// parseUID reads a uid in the one form that systemd writes.
func parseUID(digits string) (int, bool) {
	uid, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || strconv.FormatUint(uid, 10) != digits {
		return 0, false
	}
	return int(uid), true
}
