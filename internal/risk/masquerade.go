package risk

import (
	"path"
	"strings"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// masquerade is the name that the process bears without right, empty where it
// bears none. It is found only where the executable can be seen, with one
// exception: who is not root and no thread of the kernel cannot have the name of
// one.
func (c *inquiry) masquerade() string {
	if c.platform != policy.Windows && (c.Exe != "" || c.Denied&process.DeniedExe != 0 && c.UID > 0) {
		if name := kernelClaim(c.Comm, c.Argv0); name != "" {
			return name
		}
	}
	if c.Exe == "" {
		return ""
	}
	base := path.Base(c.exe)
	title := titleName(c.Argv0)
	if c.forges(base, base) {
		return base
	}
	if c.Comm != base && c.forges(c.Comm, base) {
		return c.Comm
	}
	if title != base && title != c.Comm && c.forges(title, base) {
		return title
	}
	return ""
}

// titleName is the program that the first word of a command line names. Servers
// write there what they do: "nginx: worker process", "sshd: alice@pts/0". The
// dash of a login shell stays: "-sshd" is nobody's name.
func titleName(argv0 string) string {
	if end := strings.IndexAny(argv0, " :"); end > 0 {
		argv0 = argv0[:end]
	}
	return argv0[strings.LastIndexByte(argv0, '/')+1:]
}

// ordinaryWords are names of protected programs that anybody may give to a
// program of his own without a second thought.
var ordinaryWords = setOf("bird", "frontend", "http", "store", "sync")

// forges tells whether a name that the process bears, whose executable is called
// base, is that of a program that the machine needs, and is not due to it.
func (c *inquiry) forges(name, base string) bool {
	if name == "" || ordinaryWords[name] {
		return false
	}
	documents := c.protected(name)
	if len(documents) == 0 {
		return false
	}
	own := isFormOf(base, name)
	// That a document has an interpreter among its paths says only that the
	// program is a script. Which one runs is the word of the process itself,
	// to be taken where only root could have given it, or where the script is
	// the document's: people run "dnf search" as themselves.
	script := !own && process.IsInterpreter(base)
	for _, d := range documents {
		if d.MayBeAt(c.exe) && (!script || c.reserved() || c.Script != "" && d.MayBeAt(c.Script)) {
			return false
		}
	}
	switch {
	case own:
		return !c.installed()
	case c.File.CommIsLink && process.IsComm(c.Comm, name):
		return false
	case c.Namespaces.ByUser && isMultiCall(base):
		return false // its links cannot be looked at
	}
	return !c.vouched()
}

// protected finds the documents of a name if any of them is of a program that
// the machine needs. The kernel cuts a comm short.
func (c *inquiry) protected(name string) []*policy.Document {
	documents := c.set.Named(name)
	if name == c.Comm {
		for _, full := range c.set.LongNames(name) {
			documents = append(documents, c.set.Named(full)...)
		}
	}
	for _, d := range documents {
		if d.Policy.IsSystem {
			return documents
		}
	}
	return nil
}

// isFormOf tells whether an executable is called name, or by a longer form of
// it: with a version ("php-fpm8.2"), an alternative ("sendmail.postfix") or a
// part ("sshd-session").
func isFormOf(base, name string) bool {
	if strings.EqualFold(base, name) || process.IsComm(name, base) || strings.EqualFold(process.WithoutVersion(base), name) {
		return true
	}
	return len(base) > len(name) && base[:len(name)] == name && strings.IndexByte("-._", base[len(name)]) >= 0
}

// reserved tells that no ordinary user can have made up what the process says of
// itself: root can do anything, and only root starts system services.
func (c *inquiry) reserved() bool { return c.UID == 0 || c.Slice == "system.slice" }

// installed tells that only root can have given the executable its name and
// place, though no document has that place: software that was built or
// installed by hand, or that an image brought. Windows has its own programs in
// fixed places, and other software never below its folder.
func (c *inquiry) installed() bool {
	place := locate(c.exe, c.platform, nil)
	switch {
	case place == writable:
		return false
	case c.platform == policy.Windows:
		return c.File.Trusted && !below(normalWindows(c.exe), windowsPaths[:1])
	case c.File.Trusted:
		return true
	case c.Namespaces.ByUser, c.File.Memory, c.File.Writable, c.Denied&process.DeniedNamespaces != 0:
		return false
	}
	// Who has a manager of his own may give a folder of its cgroup the name of a
	// container.
	contained := c.Container != "" && !strings.HasPrefix(c.Unit, "user@")
	return contained || c.File.Deleted && place == standard
}

// vouched tells that the process runs a program that is known to be genuine and
// runs nobody else's code, so that another name of it is a whim of that
// program's or of root's: k3s calls itself containerd, sshd-session sshd.
func (c *inquiry) vouched() bool {
	return c.trusted && (c.document.Policy.IsSystem || c.reserved())
}

// isMultiCall tells an executable that is many programs.
func isMultiCall(base string) bool {
	return base == "busybox" || base == "toybox" || base == "coreutils"
}
