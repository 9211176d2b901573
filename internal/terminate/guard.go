package terminate

import (
	"fmt"
	"slices"
	"strings"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// The codes of the guards, in their order.
const (
	GuardPID1           Code = "pid-1"
	GuardKernelThread   Code = "kernel-thread"
	GuardSelf           Code = "self"
	GuardAncestor       Code = "ancestor"
	GuardZombie         Code = "zombie"
	GuardUnreadable     Code = "unreadable"
	GuardUID0           Code = "uid-0"
	GuardServiceAccount Code = "service-account"
	GuardInitScope      Code = "init-scope"
	GuardSystemSlice    Code = "system-slice"
	GuardMachineSlice   Code = "machine-slice"
	GuardContainer      Code = "container"
	GuardForeignPID     Code = "foreign-pid-namespace"
	GuardForeignMount   Code = "foreign-mount-namespace"
	GuardSystemdUser    Code = "systemd-user"
	GuardSystemdProgram Code = "systemd-program"
	GuardSSHDSession    Code = "sshd-session"
	GuardDBus           Code = "dbus"
	GuardSessionLeader  Code = "session-leader"
	GuardOthersSession  Code = "others-session"
	GuardNoSession      Code = "no-session"
)

// guard is a rule that forbids to end a process, whatever policy says. It
// looks at nothing but its arguments.
type guard struct {
	Reason
	// holds tells whether the rule forbids it, and the fact behind that.
	holds func(f *Facts, h *Host) (detail string, holds bool)
}

// Refusals are the guards that forbid to end a process of a snapshot, in their
// order; none where it may be tried. It is for showing: a request is decided
// on the live process, of which more is known.
func Refusals(p *process.Process, h *Host) []Reason { return Check(SnapshotFacts(p), h) }

// Check returns all guards that hold, in their order.
func Check(f *Facts, h *Host) []Reason {
	var found []Reason
	if h.Obstacle != nil {
		found = append(found, *h.Obstacle)
	}
	rules := guards
	if h.Windows {
		rules = windowsGuards
	}
	for i := range rules {
		if detail, holds := rules[i].holds(f, h); holds {
			found = append(found, rules[i].with(detail))
		}
	}
	return found
}

// GuardCodes lists the codes of all guards in their order, those that only
// Windows has last.
func GuardCodes() []Code { return Codes(guardReasons()) }

// guardReasons are the guards of all systems, each once.
func guardReasons() []Reason {
	var all []Reason
	for _, rules := range [...][]guard{guards, windowsGuards} {
		for i := range rules {
			same := func(r Reason) bool { return r.Code == rules[i].Code }
			if !slices.ContainsFunc(all, same) {
				all = append(all, rules[i].Reason)
			}
		}
	}
	return all
}

// plain makes a guard whose sentence says it all.
func plain(code Code, english, korean string, holds func(f *Facts, h *Host) bool) guard {
	return detailed(code, english, korean, func(f *Facts, h *Host) (string, bool) { return "", holds(f, h) })
}

// detailed makes a guard that names the fact behind it.
func detailed(code Code, english, korean string, holds func(f *Facts, h *Host) (string, bool)) guard {
	return guard{Reason{Code: code, Kind: Protected, Text: language.Text{English: english, Korean: korean}}, holds}
}

// conflict makes a guard that protects nothing: there is nothing left to end.
func conflict(g guard) guard {
	g.Kind = Conflict
	return g
}

// isFirst tells the first two processes: init and the parent of the kernel's
// threads.
func isFirst(f *Facts, _ *Host) bool { return f.PID <= 2 }

func isKernelThread(f *Facts, _ *Host) bool { return f.Kernel }

func isSelf(f *Facts, h *Host) bool { return f.PID == h.Self }

func isAncestor(f *Facts, h *Host) bool { return slices.Contains(h.Ancestors, f.PID) }

func isZombie(f *Facts, _ *Host) bool { return f.Ended }

// isUnreadable tells a process of which not all is known that the other guards
// ask for. Nothing can be read of what has ended or of the kernel's threads.
func isUnreadable(f *Facts, h *Host) (string, bool) {
	if f.Kernel || f.Ended {
		return "", false
	}
	unknown := f.Unreadable
	if h.Namespaces.Mount == 0 || h.Namespaces.PID == 0 {
		unknown = append(slices.Clip(unknown), "namespaces of the host")
	}
	if len(f.UIDs) == 0 || slices.Min(f.UIDs) < 0 {
		unknown = append(slices.Clip(unknown), "uids")
	}
	if f.Namespaces.Mount == 0 || f.Namespaces.PID == 0 {
		if !slices.Contains(unknown, process.DeniedNamespaces.String()) {
			unknown = append(slices.Clip(unknown), process.DeniedNamespaces.String())
		}
	}
	return strings.Join(unknown, ", "), len(unknown) > 0
}

// isRoot tells a process that is root or can become root again.
func isRoot(f *Facts, _ *Host) (string, bool) { return uidList(f), slices.Contains(f.UIDs, 0) }

// isServiceAccount tells a process with a uid that is not a person's.
func isServiceAccount(f *Facts, h *Host) (string, bool) {
	other := func(uid int) bool { return uid > 0 && !h.Login.Contains(uid) }
	return uidList(f), slices.ContainsFunc(f.UIDs, other)
}

// uidList shows the uids of a process.
func uidList(f *Facts) string { return "uid " + strings.Trim(fmt.Sprint(f.UIDs), "[]") }

// atTop makes a guard's rule of the first folder of the cgroup's path.
func atTop(top string) func(f *Facts, h *Host) (string, bool) {
	return func(f *Facts, _ *Host) (string, bool) { return f.Place.Unit, f.Place.Top == top }
}

// isContained tells a process of a container. The name of a cgroup that a user
// owns proves none: there, another mount namespace must bear it out.
func isContained(f *Facts, h *Host) (string, bool) {
	owned := f.Place.UID >= 0 && f.Namespaces.Mount == h.Namespaces.Mount
	return f.Place.Container, f.Place.Container != "" && !owned
}

func inForeignPIDs(f *Facts, h *Host) bool {
	return f.InnerPID || foreign(f.Namespaces.PID, h.Namespaces.PID)
}

func inForeignMounts(f *Facts, h *Host) bool { return foreign(f.Namespaces.Mount, h.Namespaces.Mount) }

// foreign tells two namespaces that are known and not the same.
func foreign(a, b uint64) bool { return a != 0 && b != 0 && a != b }

// isSystemdUser tells the systemd of a user and its helper, which are in a
// cgroup to which it moves nothing else.
func isSystemdUser(f *Facts, _ *Host) bool {
	_, manager := managerUID(f.Place.Unit)
	return manager && (f.Place.UserUnit == initScope || f.Place.UserUnit == "") || f.trusted("systemd")
}

// systemdFolders hold the programs of systemd.
var systemdFolders = []string{"/usr/lib/systemd/", "/lib/systemd/"}

func isSystemdProgram(f *Facts, _ *Host) (string, bool) {
	for _, folder := range systemdFolders {
		if f.File.Trusted && strings.HasPrefix(f.Exe, folder) {
			return f.Exe, true
		}
	}
	return "", false
}

// isSSHD tells the servers that carry remote logins: what is typed there goes
// through them.
func isSSHD(f *Facts, _ *Host) bool {
	return f.trusted("sshd", "sshd-session", "sshd-auth", "dropbear")
}

// isDBus tells the message bus of a session.
func isDBus(f *Facts, _ *Host) bool {
	return f.trusted("dbus-daemon", "dbus-broker", "dbus-broker-launch")
}

// trusted tells whether the process runs one of the programs, by a name that
// an ordinary user cannot forge.
func (f *Facts) trusted(names ...string) bool {
	return f.File.Trusted && slices.Contains(names, f.Name)
}

// leadsSession tells the leader of a session: the shell of a terminal, or the
// first program of a desktop. systemd starts each service of a user in a
// session of its own, which is nobody's login.
func leadsSession(f *Facts, _ *Host) bool {
	_, manager := managerUID(f.Place.Unit)
	service := manager && strings.HasSuffix(f.Place.UserUnit, ".service")
	return f.Session != 0 && f.Session == f.PID && !(service && f.TTY == "")
}

// inOthersSession tells a process in the login session of another user than
// the one it runs as, as after sudo.
func inOthersSession(f *Facts, h *Host) (string, bool) {
	if !h.Systemd || f.Place.UID < 0 {
		return "", false
	}
	other := func(uid int) bool { return uid != f.Place.UID }
	return fmt.Sprintf("%s of uid %d, %s", f.Place.Unit, f.Place.UID, uidList(f)), slices.ContainsFunc(f.UIDs, other)
}

// hasNoSession tells a process that no login started. Where other guards say
// already to what it belongs instead, it does not repeat that.
func hasNoSession(f *Facts, h *Host) bool {
	if f.Kernel || f.Ended {
		return false
	}
	if !h.Systemd {
		return f.TTY == "" && !h.Login.Contains(f.LoginUID)
	}
	switch f.Place.Top {
	case systemSlice, machineSlice, initScope:
		return false
	}
	return f.Place.UID < 0
}
