package risk

import (
	"slices"
	"strings"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// windowsPaths are the folders of installed programs on Windows, in lower case
// as all that follows. Whoever installs Windows elsewhere than on C: allows its
// folders with --risk.allowed-path.
var windowsPaths = []string{
	"c:/windows", "c:/program files", "c:/program files (x86)",
	// Windows itself and its installers keep programs in these, which only
	// administrators may change; in the rest of ProgramData everybody may.
	"c:/programdata/microsoft/windows defender", "c:/programdata/package cache",
}

// windowsPlaces are folders where every user may put files, below a standard
// one among them: Windows gives that right for spoolers, tasks and traces.
var windowsPlaces = []string{
	"c:/temp", "c:/tmp", "c:/users/public", "c:/perflogs", "c:/$recycle.bin",
	"c:/windows/temp", "c:/windows/tasks", "c:/windows/tracing", "c:/windows/debug/wia",
	"c:/windows/registration/crmlog",
	"c:/windows/system32/tasks", "c:/windows/system32/tasks_migrated", "c:/windows/system32/fxstmp",
	"c:/windows/system32/com/dmp", "c:/windows/system32/spool/printers", "c:/windows/system32/spool/servers",
	"c:/windows/system32/spool/drivers/color", "c:/windows/system32/microsoft/crypto/rsa/machinekeys",
	"c:/windows/syswow64/tasks", "c:/windows/syswow64/fxstmp", "c:/windows/syswow64/com/dmp",
}

// windowsDrops are folders in the profile of a user into which others send him
// files: c:/users/NAME and one of these.
var windowsDrops = []string{
	"appdata/local/temp", "downloads", "local settings/temp",
	"appdata/local/microsoft/windows/inetcache", "appdata/local/microsoft/outlook",
}

// locateOnWindows is [locate] for a path that normalWindows made.
func locateOnWindows(exe string, allowed []string) location {
	switch {
	case !strings.Contains(exe, "/"): // "Registry" is the kernel's own
		return nowhere
	case isStream(exe):
		return writable
	case isAllowed(exe, policy.Windows, allowed):
		return standard
	case below(exe, windowsPlaces), isDrop(exe):
		return writable
	case below(exe, windowsPaths):
		return standard
	}
	return unusual
}

// normalWindows makes a path of Windows comparable: in lower case, with '/'
// between folders, and without the mark of a long path.
func normalWindows(path string) string {
	path = strings.ReplaceAll(strings.ToLower(path), `\`, "/")
	for _, mark := range [...]string{"//?/", "//./"} {
		if rest, ok := strings.CutPrefix(path, mark); ok && hasDrive(rest) {
			return rest
		}
	}
	return path
}

// hasDrive tells a path that begins with a drive, as "c:/".
func hasDrive(path string) bool {
	return len(path) > 3 && path[0] >= 'a' && path[0] <= 'z' && path[1] == ':' && path[2] == '/'
}

// isStream tells a program that is hidden behind another file, in an alternate
// data stream: "c:/windows/notes.txt:tool.exe". No installer does that.
func isStream(exe string) bool { return hasDrive(exe) && strings.Contains(exe[2:], ":") }

// isDrop tells a folder of any user into which others send files.
func isDrop(exe string) bool {
	rest, ok := inProfile(exe)
	return ok && below(rest, windowsDrops)
}

// inProfile is what of a path is below the profile of a user, c:/users/NAME.
func inProfile(exe string) (string, bool) {
	rest, ok := strings.CutPrefix(exe, "c:/users/")
	if !ok {
		return "", false
	}
	_, rest, ok = strings.Cut(rest, "/")
	return rest, ok
}

// rootNames are how Windows calls its users that may do everything, in the
// languages in which it translates the names. They count where the security
// identifier is not known.
var rootNames = []string{
	"system", "administrator",
	"système", "administrateur", "administrador", "система", "администратор", "järjestelmänvalvoja",
}

// runsAsRoot tells the users that may do everything. A user of a container's
// user namespace counts by its id on the host.
func runsAsRoot(p *process.Process, platform policy.Platform) bool {
	if platform != policy.Windows {
		return p.UID == 0
	}
	if p.Facts.Windows != nil && p.Windows.SID != "" {
		return allPowerful(p.Windows)
	}
	name := p.User[strings.LastIndexByte(p.User, '\\')+1:]
	for _, root := range rootNames {
		if strings.EqualFold(name, root) {
			return true
		}
	}
	return false
}

// allPowerful tells SYSTEM, the account Administrator, and any person who makes
// use of an administrator's rights. Service accounts are not among them, though
// their tokens call themselves elevated; and Administrator under the rules for
// everybody else has the rights of everybody else.
func allPowerful(w *process.Windows) bool {
	switch {
	case w.SID == process.SIDSystem:
		return true
	case w.Elevated:
		return process.IsPersonSID(w.SID)
	}
	return process.IsAdministratorSID(w.SID) && w.Integrity == process.IntegrityUnknown
}

// windowsCore are the programs that Windows itself consists of.
var windowsCore = []string{
	"csrss.exe", "dwm.exe", "fontdrvhost.exe", "lsaiso.exe", "lsass.exe", "services.exe", "smss.exe",
	"spoolsv.exe", "svchost.exe", "wininit.exe", "winlogon.exe",
}

// windowsPorts are the ports that every Windows holds open by itself: RPC,
// NetBIOS, file sharing and device discovery.
var windowsPorts = []string{"135", "137", "138", "139", "445", "5357"}

// partOfWindows tells a warning that says no more than that the process is part
// of Windows: SYSTEM is the user of its core, and some ports are its own.
func (c *inquiry) partOfWindows(w *Warning) bool {
	if c.platform != policy.Windows || !c.isCore() {
		return false
	}
	switch w.Code {
	case RunningAsRoot:
		return true
	case PublicPort, SystemPort:
		return slices.Contains(windowsPorts, w.Subject)
	}
	return false
}

// isCore tells a program of the core of Windows, at its own place and with a
// name that nobody can have forged.
func (c *inquiry) isCore() bool {
	if !c.File.Trusted || !slices.Contains(windowsCore, strings.ToLower(c.Name)) {
		return false
	}
	if c.Facts.Windows != nil {
		return c.Facts.Windows.InSystem
	}
	return below(normalWindows(c.exe), []string{"c:/windows/system32", "c:/windows/syswow64"})
}
