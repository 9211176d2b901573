package risk

import (
	"strconv"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// explain puts one warning into words.
func explain(p *process.Process, w *Warning, l language.Language) Finding {
	f := Finding{
		Warning: process.Printable(w.String()), Severity: w.Severity.String(), Expected: w.Expected,
	}
	f.Text, f.Advice = words(p, w, l)
	if p.Facts.Windows != nil {
		f.Text, f.Advice = windowsWords(p, w, l, f.Text, f.Advice)
	}
	if w.Expected {
		f.Advice = adviceExpected.in(l)
	}
	return f
}

// words are what was found and what to do about it.
func words(p *process.Process, w *Warning, l language.Language) (text, advice string) {
	switch w.Code {
	case RunningAsRoot:
		text = textRunningAsRoot.in(l, "user", p.User)
		if unit := restartable(p); unit != "" {
			return text, adviceRunningAsRootUnit.in(l, "unit", unit)
		}
		return text, adviceRunningAsRoot.in(l)
	case PublicPort:
		return publicPort(p, w, l)
	case SystemPort:
		over, _ := openSockets(p, w)
		return textSystemPort.in(l, "port", w.Subject, "protocol", over, "scope", reach(w, l)), adviceSystemPort.in(l)
	case HighMemoryUsage:
		return textHighMemory.in(l, "memory", size(p.ResidentBytes)), adviceHighMemory.in(l)
	case SuspiciousPath:
		switch {
		case w.Subject == scriptPlace(p.Script):
			return textWritableScript.in(l, "path", w.Subject), adviceWritableScript.in(l)
		case w.Severity == Danger:
			return textWritablePlace.in(l, "path", w.Subject), adviceWritablePlace.in(l)
		}
		return textSuspiciousPath.in(l, "path", w.Subject), adviceSuspiciousPath.in(l)
	case DeletedExe:
		text = textDeletedExe.in(l, "path", w.Subject)
		if unit := restartable(p); unit != "" {
			return text, adviceDeletedExeUnit.in(l, "unit", unit)
		}
		return text, adviceDeletedExe.in(l)
	case FilelessExe:
		return textFilelessExe.in(l, "path", w.Subject), adviceFilelessExe.in(l, "pid", strconv.Itoa(p.PID))
	case Masquerade:
		return masqueradeText(p, w).in(l, "name", w.Subject, "path", p.Exe), adviceMasquerade.in(l, "pid", strconv.Itoa(p.PID))
	case WritableExe:
		return textWritableExe.in(l, "path", w.Subject), adviceWritableExe.in(l)
	}
	return "", ""
}

func masqueradeText(p *process.Process, w *Warning) message {
	switch {
	case p.Exe == "":
		return textMasqueradeUnseen
	case kernelClaim(w.Subject, w.Subject) != "":
		return textMasqueradeKernel
	}
	return textMasqueradeName
}

// publicPort puts a known port into words. What the table knows depends on the
// protocol; the heaviest entry among the open sockets counts.
func publicPort(p *process.Process, w *Warning, l language.Language) (text, advice string) {
	over, known := openSockets(p, w)
	if known == nil {
		known = &Port{Service: w.Subject, reason: reasonMonitoring, advice: adviceMonitoring}
	}
	text = textPublicPort.in(l, "port", w.Subject, "protocol", over, "service", known.Service,
		"scope", reach(w, l), "reason", known.Reason(l))
	return text, known.Advice(l)
}

// openSockets says over which protocols the port of a warning is open, and what
// the table knows of it.
func openSockets(p *process.Process, w *Warning) (over string, known *Port) {
	for _, protocol := range [...]process.Protocol{process.TCP, process.UDP} {
		for i := range p.Listen {
			s := &p.Listen[i]
			port, ok := opened(s)
			if !ok || s.Protocol != protocol || port.code != w.Code || strconv.Itoa(int(port.number)) != w.Subject {
				continue
			}
			if over != "" {
				over += "+"
			}
			over += protocol.String()
			if entry, ok := LookupPort(protocol, port.number); ok && (known == nil || entry.Severity > known.Severity) {
				known = entry
			}
			break
		}
	}
	return over, known
}

// reach says from where a port can be reached.
func reach(w *Warning, l language.Language) string {
	switch {
	case w.Foreign:
		return scopeForeign.in(l)
	case w.Scope == process.Public:
		return scopePublic.in(l)
	}
	return scopePrivate.in(l)
}

// restartable is the service that a process belongs to, empty without one.
func restartable(p *process.Process) string {
	for _, unit := range [...]string{p.UserUnit, p.Unit} {
		if isService(unit) {
			return unit
		}
	}
	return ""
}

// size writes a number of bytes for people, with the units of 1024.
func size(bytes uint64) string {
	const units = "KMGTPE"
	if bytes < 1024 {
		return strconv.FormatUint(bytes, 10) + " B"
	}
	value, unit := float64(bytes)/1024, 0
	for value >= 1023.95 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + units[unit:unit+1] + "iB"
}
