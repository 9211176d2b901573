package terminate

import (
	"fmt"
	"slices"
	"strings"

	"server-monitor/internal/process"
)

// signalName is the name of a signal, or of what stands for it on Windows, which
// has none.
func (h *Host) signalName(s Signal) string {
	if !h.Windows {
		return s.String()
	}
	return [...]string{"WM_CLOSE", "TerminateProcess", "none"}[s]
}

// isWindowsKernel tells the processes that are the kernel of Windows: the idle
// process, System, and those of its parts that have no file, as Registry and
// Memory Compression.
func isWindowsKernel(f *Facts, _ *Host) bool {
	return f.PID == 0 || f.PID == 4 || f.Kernel || f.Exe != "" && !strings.Contains(f.Exe, "/")
}

// isUnreadableOnWindows tells a process of which not all is known that the other
// guards ask for.
func isUnreadableOnWindows(f *Facts, h *Host) (string, bool) {
	if f.Ended || isWindowsKernel(f, h) {
		return "", false
	}
	unknown := slices.Clone(f.Unreadable)
	add := func(name string, missing bool) {
		if missing && !slices.Contains(unknown, name) {
			unknown = append(unknown, name)
		}
	}
	add(process.DeniedExe.String(), f.Exe == "")
	add(process.DeniedUser.String(), f.Windows == nil || f.Windows.SID == "")
	add("session", f.Windows == nil || f.Windows.Session < 0)
	return strings.Join(unknown, ", "), len(unknown) > 0
}

// onWindows makes a guard's rule of what Windows alone tells; where that is
// unknown, another guard refuses.
func onWindows(holds func(w *process.Windows) bool) func(f *Facts, h *Host) bool {
	return func(f *Facts, _ *Host) bool { return f.Windows != nil && holds(f.Windows) }
}

func isCritical(w *process.Windows) bool   { return w.Critical }
func isShielded(w *process.Windows) bool   { return w.Protected }
func isInSession0(w *process.Windows) bool { return w.Session == 0 }

func isLocalSystem(w *process.Windows) bool { return w.SID == process.SIDSystem }

// isWindowsAccount tells a process that does not run as a person: LOCAL SERVICE
// and NETWORK SERVICE, the accounts of services (S-1-5-80), of web applications
// (82), virtual machines (83), window managers (90) and font drivers (96), and
// whatever else is no account of this machine, a domain or Entra ID.
func isWindowsAccount(f *Facts, _ *Host) (string, bool) {
	if f.Windows == nil || f.Windows.SID == "" || isLocalSystem(f.Windows) {
		return "", false
	}
	return fmt.Sprintf("%s %s", f.Windows.SID, f.User), !process.IsPersonSID(f.Windows.SID)
}

// isServiceHost tells the host of Windows's own services, which runs in the
// sessions of users too.
func isServiceHost(f *Facts, _ *Host) bool {
	return f.Windows != nil && f.Windows.InSystem && strings.EqualFold(f.Name, "svchost.exe")
}

// windowsCore are programs of Windows without which a session or the machine
// does not go on, whoever they run as.
var windowsCore = []string{
	"csrss.exe", "dwm.exe", "fontdrvhost.exe", "logonui.exe", "lsaiso.exe", "lsass.exe", "services.exe", "sihost.exe",
	"smss.exe", "userinit.exe", "wininit.exe", "winlogon.exe",
}

func isWindowsCore(f *Facts, _ *Host) (string, bool) {
	core := f.Windows != nil && f.Windows.InSystem && slices.Contains(windowsCore, strings.ToLower(f.Name))
	return f.Exe, core
}

// hostsService tells a process in which the service control manager runs
// services.
func hostsService(f *Facts, _ *Host) (string, bool) { return f.Unit, f.Unit != "" }
