package risk

import (
	"path"
	"strings"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// role says what the program is for.
func role(p, parent *process.Process, a *Assessment, l language.Language) string {
	switch {
	case a.Excluded:
		return excludedRole(p, l)
	case a.Document == nil:
		return unknownRole(p, parent, l)
	}
	known := process.Printable(described(a.Document, l))
	script := path.Base(p.Script)
	if process.IsInterpreter(p.Name) && isPlainPath(p.Script) && p.OtherScripts == "" && !strings.EqualFold(script, a.Document.Name) {
		return roleRuns.in(l, "role", known, "script", p.Script)
	}
	return known
}

// isPlainPath tells a script's path from what only looks like one: the text of a
// program, or the value of an option, may hold a secret.
func isPlainPath(script string) bool {
	return script != "" && !strings.ContainsAny(script, " \t\"'`$=;()|&<>{}")
}

// Description says what the program is for as [Explanation] does, without
// anything of the command line: for labels.
func Description(p, parent *process.Process, a *Assessment, l language.Language) string {
	if a.Excluded || a.Document == nil {
		return role(p, parent, a, l)
	}
	return process.Printable(described(a.Document, l))
}

// described is the description of a document in a language.
func described(d *policy.Document, l language.Language) string {
	if text := d.DescriptionI18n[string(l)]; text != "" {
		return text
	}
	if d.Description != "" {
		return d.Description
	}
	return d.Name
}

// excludedRole says why a process is not judged.
func excludedRole(p *process.Process, l language.Language) string {
	switch {
	case p.Kernel:
		return roleKernelThread.in(l)
	case p.State == process.Zombie || p.State == process.Dead:
		return roleEnded.in(l)
	case p.Container != "":
		return roleContainerInit.in(l, "container", shortContainer(p.Container))
	}
	return roleSystemCore.in(l)
}

// unknownRole says of a program that policy does not know what it belongs to,
// where it lies and who started it.
func unknownRole(p, parent *process.Process, l language.Language) string {
	parts := []string{place(p, l), origin(p, l)}
	switch {
	case parent != nil && parent.Facts != nil:
		parts = append(parts, startedBy.in(l, "parent", parent.Name))
	case p.PPID > 0:
		parts = append(parts, startedByUnknown.in(l))
	}
	if p.User != "" {
		parts = append(parts, byUser.in(l, "user", p.User))
	}
	return roleUnknown.in(l, "place", strings.Join(parts, joinParts.in(l)))
}

// place says what a process belongs to.
func place(p *process.Process, l language.Language) string {
	switch {
	case p.Facts.Windows != nil:
		return placeOnWindows(p, l)
	case p.Container != "":
		return placeContainer.in(l, "container", shortContainer(p.Container))
	case isService(p.UserUnit):
		return placeUserService.in(l, "unit", p.UserUnit)
	case isService(p.Unit) && !strings.HasPrefix(p.Unit, "user@"):
		return placeService.in(l, "unit", p.Unit)
	case p.TTY != "":
		return placeTerminal.in(l, "tty", p.TTY)
	case strings.HasPrefix(p.Unit, "session-"), strings.HasPrefix(p.Unit, "user@"):
		return placeSession.in(l)
	case p.Unit != "":
		return placeUnit.in(l, "unit", p.Unit)
	}
	return placeBackground.in(l)
}

// isService tells a unit that can be restarted, other than a user's manager.
func isService(unit string) bool {
	return strings.HasSuffix(unit, ".service") && !strings.HasPrefix(unit, "user@")
}

// origin says where the executable comes from.
func origin(p *process.Process, l language.Language) string {
	exe := ownPath(p)
	if p.Facts.Windows != nil {
		return originOnWindows(exe, l)
	}
	switch {
	case exe == "" || exe[0] == '(':
		return originUnseen.in(l)
	case p.File.Memory:
		return originMemory.in(l)
	case isBelow(exe, "/usr/local"):
		return originLocal.in(l)
	case isBelow(exe, "/opt"):
		return originAddOn.in(l, "folder", segments(exe, 2))
	case below(exe, writablePlaces):
		return originTemporary.in(l)
	case isBelow(exe, "/home"), isBelow(exe, "/root"):
		return originHome.in(l)
	case below(exe, standardPaths), below(normalWindows(exe), windowsPaths):
		return originSystem.in(l)
	}
	return originFolder.in(l, "folder", path.Dir(exe))
}

// segments are the first n segments of an absolute path, without its last one.
func segments(exe string, n int) string {
	folder := path.Dir(exe)
	end := 0
	for range n {
		next := strings.IndexByte(folder[end+1:], '/')
		if next < 0 {
			return folder
		}
		end += 1 + next
	}
	return folder[:end]
}

// shortContainer is the id of a container as engines show it.
func shortContainer(id string) string {
	if len(id) == 64 {
		return id[:12]
	}
	return id
}
