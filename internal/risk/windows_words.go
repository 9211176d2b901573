package risk

import (
	"path"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// windowsWords are what was found and what to do about it where Windows has
// other words for it than Unix: text and advice are the common ones.
func windowsWords(p *process.Process, w *Warning, l language.Language, text, advice string) (windowsText, windowsAdvice string) {
	switch w.Code {
	case RunningAsRoot:
		if p.Unit != "" {
			return text, adviceRunningAsRootHosted.in(l, "unit", p.Unit)
		}
		return text, adviceRunningAsRootWindows.in(l)
	case HighMemoryUsage:
		return text, adviceHighMemoryWindows.in(l)
	case SuspiciousPath:
		return suspiciousOnWindows(w, l, text, advice)
	case Masquerade:
		return text, adviceMasqueradeWindows.in(l)
	case WritableExe:
		return text, adviceWritableExeWindows.in(l)
	}
	return text, advice
}

// suspiciousOnWindows says what is wrong with a place.
func suspiciousOnWindows(w *Warning, l language.Language, text, advice string) (windowsText, windowsAdvice string) {
	switch exe := normalWindows(w.Subject); {
	case w.Severity != Danger:
		return text, adviceSuspiciousPathWindows.in(l)
	case isStream(exe):
		return textStream.in(l, "path", w.Subject), advice
	case isDrop(exe):
		return textDropPlace.in(l, "path", w.Subject), advice
	}
	return text, advice
}

// placeOnWindows says what a process of Windows belongs to.
func placeOnWindows(p *process.Process, l language.Language) string {
	switch {
	case p.Unit != "":
		return placeService.in(l, "unit", p.Unit)
	case p.Windows.Session > 0:
		return placeSession.in(l)
	}
	return placeBackground.in(l)
}

// originOnWindows says where the executable of a program of Windows comes from.
func originOnWindows(exe string, l language.Language) string {
	normal := normalWindows(exe)
	switch locateOnWindows(normal, nil) {
	case nowhere:
		return originUnseen.in(l)
	case writable:
		return originTemporary.in(l)
	case standard:
		return originSystem.in(l)
	}
	if _, ok := inProfile(normal); ok {
		return originHome.in(l)
	}
	return originFolder.in(l, "folder", path.Dir(exe))
}
