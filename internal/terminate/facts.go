package terminate

import (
	"slices"

	"server-monitor/internal/process"
)

// Facts are what the guards look at in a process.
type Facts struct {
	process.Identity
	PPID   int
	Comm   string
	State  process.State
	Kernel bool
	// Ended tells a process of which nothing runs any more. The leader of a
	// group may be a zombie while other threads live on.
	Ended bool
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
	// InnerPID tells that it has a pid in a namespace below ours.
	InnerPID bool
	// Name, Exe, Argv0, Script and OtherScripts are as in [process.Facts].
	Name, Exe, Argv0, Script, OtherScripts string
	// User is the name of the effective user.
	User string
	// Unit and UserUnit are as in [process.Facts], for policy; the guards go by
	// Place.
	Unit, UserUnit string
	// File is what is known of the executable.
	File process.File
	// Windows is what Windows alone tells, nil elsewhere; there Unit are the
	// services that the process hosts.
	Windows *process.Windows
	// Unreadable names the facts that could not be read.
	Unreadable []string
}

// factsOf takes over what a snapshot and a handle tell alike.
func factsOf(p *process.Process) *Facts {
	f := &Facts{
		Identity: p.Identity, PPID: p.PPID, Comm: p.Comm, State: p.State, Kernel: p.Kernel,
		Session: p.Session, TTY: p.TTY, LoginUID: -1, Namespaces: p.Namespaces,
		Name: p.Name, Exe: p.Exe, Argv0: p.Argv0, Script: p.Script, OtherScripts: p.OtherScripts,
		User: p.User, File: p.File, Unit: p.Unit, UserUnit: p.UserUnit, Windows: p.Facts.Windows,
	}
	for fact := range (p.Denied &^ process.DeniedSockets).All() {
		f.Unreadable = append(f.Unreadable, fact.String())
	}
	return f
}

// SnapshotFacts are what a snapshot knows of a process. It knows less than the
// live process tells: one uid of four, no audit id, and of a session only that
// it is somebody's, so the guards on it are for showing, never for acting.
func SnapshotFacts(p *process.Process) *Facts {
	f := factsOf(p)
	f.Ended = p.State == process.Dead || p.State == process.Zombie && p.Threads <= 1
	if f.Windows != nil {
		f.Place.UID = -1
		return f
	}
	f.UIDs = []int{p.UID}
	f.Place = Place{Top: p.Slice, UID: -1, Unit: p.Unit, UserUnit: p.UserUnit, Container: p.Container}
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
	return f
}

// TrustedName is the name that the executable proves, empty where it may be
// forged.
func (f *Facts) TrustedName() string {
	if !f.File.Trusted {
		return ""
	}
	return f.Name
}

// changed tells in what two readings of a process differ, "" where they are of
// the same program of the same user in the same place.
func (f *Facts) changed(now *Facts) string {
	switch {
	case f.Identity != now.Identity:
		return "identity"
	case !slices.Equal(f.UIDs, now.UIDs):
		return "uids"
	case f.File.Device != now.File.Device || f.File.Inode != now.File.Inode:
		return "executable"
	case f.Place != now.Place:
		return "cgroup"
	case f.Namespaces != now.Namespaces:
		return "namespaces"
	case f.Windows != nil && (now.Windows == nil || *f.Windows != *now.Windows):
		return "user or rights"
	}
	return ""
}
