package doctor

import (
	"time"

	"server-monitor/internal/language"
	"server-monitor/internal/token"
)

// Facts are what was found out about the machine and the configuration. An
// error in them says why something is not known, or does not work.
type Facts struct {
	// Native tells a platform that has a kernel of Linux; without it, what only
	// Linux has is not judged.
	Native bool
	// Terminations tells that tokens are configured, so that processes may be
	// ended.
	Terminations bool

	// Windows is what only Windows has, nil elsewhere.
	Windows *Windows

	Kernel       Kernel
	Capabilities Capabilities
	Proc         Proc
	Systemd      Systemd
	Journal      Journal
	Policy       Policy
	Tokens       Tokens
	Audit        Audit
	Listeners    []Listener
	Files        Files
	Clock        Clock
	Language     Language
}

// Windows is what of a Windows can be used.
type Windows struct {
	// Elevated tells a token with the rights of administrators, Debug one that has
	// the privilege to look at processes of others (SeDebugPrivilege).
	Elevated, Debug bool
	TokenErr        error
	// Services counts what the service control manager tells, ServicesErr says why
	// it tells nothing; Installed that our own service is among them.
	Services    int
	ServicesErr error
	Installed   bool
	// EventsErr says why events of our service are not shown as they are.
	EventsErr error
}

// Kernel is what of the kernel's features can be used.
type Kernel struct {
	// Handles says why no process can be held (pidfd_open(2)), SockDiag why
	// sockets cannot be listed (sock_diag(7)), Pressure why there is no pressure
	// stall information.
	Handles, SockDiag, Pressure error
}

// Capabilities are the rights of a process (capabilities(7)).
type Capabilities struct {
	// PID is that of the process, 0 for our own.
	PID       int
	Effective uint64
	Err       error
}

// Proc is how /proc is mounted.
type Proc struct {
	// Path is its mount point as configured, Options are those of the mount and
	// of the file system.
	Path    string
	Options []string
	Err     error
}

// Systemd is whether systemd answers.
type Systemd struct {
	Booted   bool
	Services int
	Err      error
}

// Journal is whether the journal can be read.
type Journal struct {
	Wanted bool
	Lines  int
	Err    error
}

// Policy is how the database of policy fares.
type Policy struct {
	// Catalogue counts the embedded documents.
	Catalogue int
	// Configured tells that there is a database, Address is where.
	Configured bool
	Address    string
	// Err says why it cannot be read.
	Err              error
	Documents, Rules int
	// Missing counts the documents of the catalogue that were never seeded.
	Missing int
	// Malformed names what counts as protecting its name for being wrong.
	Malformed []string
	// Indexed tells that names are unique.
	Indexed  bool
	IndexErr error
	// CopyFile keeps the last good copy, CopyErr says why it cannot be written.
	CopyFile string
	CopyErr  error
}

// Tokens is the file of bearer tokens.
type Tokens struct {
	Path    string
	Records []token.Record
	Err     error
}

// Audit is the file of decisions.
type Audit struct {
	Path string
	Err  error
}

// Listener is an address that is to be served.
type Listener struct {
	Flag, Address string
	// Err says why it cannot be opened.
	Err error
	// InUse tells that somebody serves it already, Owner who: a name, empty
	// where that is not to be seen.
	InUse bool
	Owner string
	PID   int
}

// Files is how many descriptors may be open at once, and for how many
// processes.
type Files struct {
	Limit     uint64
	Processes int
	Err       error
}

// Clock is what the machine's clock says.
type Clock struct {
	Now, Boot time.Time
	Err       error
	// Unsynchronised tells that the kernel knows of nobody who sets the clock.
	Unsynchronised bool
}

// Language is what texts are shown in.
type Language struct {
	Chosen language.Language
	// Locale is the character set that the environment names (locale(7)).
	Locale string
}
