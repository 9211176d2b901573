package service

import (
	"path"
	"strings"

	"server-monitor/internal/process"
)

// isAny tells whether a process is one of some programs.
func isAny(p *process.Process, programs []string) bool {
	for _, program := range programs {
		if is(p, program) {
			return true
		}
	}
	return false
}

// is tells whether a process is a program: by its executable, by what the
// kernel calls it, or by the script that it interprets.
func is(p *process.Process, program string) bool {
	if p.Script == "" && !beginAlike(p.Name, program) && !beginAlike(p.Comm, program) {
		return false // as are nearly all of thousands
	}
	if isCalled(p.Name, program) || p.Comm != p.Name && isCalled(p.Comm, program) || process.IsComm(p.Comm, program) {
		return true
	}
	script := path.Base(p.Script)
	return p.Script != "" && (isCalled(script, program) || strings.TrimSuffix(script, path.Ext(script)) == program)
}

// beginAlike tells whether two names may begin with the same letter, in whatever
// case.
func beginAlike(a, b string) bool { return a != "" && b != "" && (a[0]^b[0])&^0x20 == 0 }

// isCalled tells whether name is that of a program, with or without the suffix
// of Windows and a version behind it: "python3.11" is "python" and "python3",
// but not "python3.1".
func isCalled(name, program string) bool {
	name = withoutExe(name)
	version, found := strings.CutPrefix(name, program)
	switch {
	case !found || program == "":
		return false
	case version == "":
		return true
	case isDigit(program[len(program)-1]) && isDigit(version[0]):
		return false
	}
	return process.WithoutVersion(name) == process.WithoutVersion(program)
}

// withoutExe cuts ".exe"; where that is found, case means nothing.
func withoutExe(name string) string {
	const exe = ".exe"
	if at := len(name) - len(exe); at > 0 && name[at] == '.' && strings.EqualFold(name[at:], exe) {
		return strings.ToLower(name[:at])
	}
	return name
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
