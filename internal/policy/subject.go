package policy

import (
	"slices"
	"strings"

	"server-monitor/internal/process"
)

// Subject is what policy looks at in a process.
type Subject struct {
	// Name is the base name of the executable, Exe its path; either may be
	// forged unless Trusted.
	Name, Exe string
	// Trusted tells that an ordinary user cannot have forged Name and Exe.
	Trusted bool
	// Comm, Argv0 and Script are names that the process chose itself.
	Comm, Argv0, Script string
	// OtherScripts are as in [process.Facts].
	OtherScripts string
	// User, Unit and UserUnit are as in [process.Facts].
	User, Unit, UserUnit string
	// Warnings are those it bears, as CODE or CODE(subject).
	Warnings []string
	// MemoryRatio is its part of the machine's memory, from 0 to 1.
	MemoryRatio float64
}

// SubjectOf is what a snapshot knows of a process; warnings are the caller's to
// add.
func SubjectOf(p *process.Process, memoryTotal uint64) Subject {
	s := Subject{
		Name: p.Name, Exe: p.Exe, Trusted: p.File.Trusted, Comm: p.Comm, Argv0: p.Argv0, Script: p.Script, OtherScripts: p.OtherScripts,
		User: p.User, Unit: p.Unit, UserUnit: p.UserUnit,
	}
	if memoryTotal > 0 {
		s.MemoryRatio = float64(p.ResidentBytes) / float64(memoryTotal)
	}
	return s
}

// trustedName is the name that can grant something: that of an executable which
// nobody can have forged, and which does not run what somebody else wrote.
func (p *Subject) trustedName() (string, bool) {
	if !p.Trusted || p.Name == "" || process.IsInterpreter(p.Name) {
		return "", false
	}
	return strings.ToLower(p.Name), true
}

// maxComm is how many bytes of a name the kernel keeps (TASK_COMM_LEN - 1).
const maxComm = 15

// alias is one name under which policy may know a process.
type alias struct {
	name string // in lower case
	// shown is the name as the process bears it.
	shown string
	// trusted tells the name of an executable that cannot be forged. Only there
	// does the path say whether a document holds.
	trusted bool
	// cut tells a name of which the kernel may have kept the beginning alone.
	cut bool
}

// aliases are all names of a process in lower case, the trusted ones first. A
// name that only repeats a trusted one is left out: it is not an attempt to
// bear another.
func (p *Subject) aliases() []alias {
	all := make([]alias, 0, 8)
	add := func(shown string, trusted, cut bool) {
		name := strings.ToLower(shown)
		if name == "" || slices.ContainsFunc(all, func(a alias) bool { return a.covers(name, cut) }) {
			return
		}
		all = append(all, alias{name: name, shown: shown, trusted: trusted, cut: cut && len(name) == maxComm})
	}
	add(p.Name, p.Trusted, false)
	add(process.WithoutVersion(p.Name), p.Trusted, false)
	add(baseName(p.Exe), p.Trusted, false)
	add(p.Comm, false, true)
	byItself := func(word string) {
		for _, name := range wordNames(word) {
			add(name, false, false)
			add(process.WithoutVersion(name), false, false)
		}
	}
	byItself(p.Argv0)
	byItself(p.Script)
	for word := range strings.SplitSeq(p.OtherScripts, "\x00") {
		byItself(word)
	}
	return all
}

// covers tells whether another name of the process says nothing new.
func (a *alias) covers(name string, cut bool) bool {
	if a.name == name {
		return a.cut || !cut || a.trusted || len(name) != maxComm
	}
	return cut && a.trusted && process.IsComm(name, a.name)
}

// wordNames are the names in a word of the command line: a path's base; what is
// before the colon where a program keeps its state there ("nginx: master
// process /usr/sbin/nginx", "sshd: alice@pts/0"); without the dash of a login
// shell.
func wordNames(word string) []string {
	if word == "" {
		return nil
	}
	names := []string{strings.TrimPrefix(baseName(word), "-")}
	if end := strings.IndexAny(word, " :"); end > 0 && !hasDrive(foldPath(word)) {
		names = append(names, strings.TrimPrefix(baseName(word[:end]), "-"))
	}
	return names
}

// baseName is what is behind the last separator of a path of Unix or Windows.
func baseName(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }
