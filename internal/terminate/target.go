package terminate

import (
	"context"
	"errors"

	"server-monitor/internal/process"
)

// Target is a hold on one process: whatever becomes of its pid, every call is
// about that process, or fails. It fails with [process.ErrGone] where the
// process has ended and was reaped.
type Target interface {
	// Identity names the process.
	Identity() process.Identity
	// Facts reads what the guards look at, as it is now.
	Facts() (*Facts, error)
	// Children lists the children it has now.
	Children() []Child
	// Signal sends a signal to the process. Where there is no way to ask it to
	// end, Term fails with errNoSoft.
	Signal(signal Signal) error
	// Wait returns nil as soon as the process has ended, zombie or not, and
	// an error where the context ends first. Where both hold, it has ended.
	Wait(ctx context.Context) error
	// Close lets go of the process.
	Close()
}

// Signal is what a process is sent.
type Signal uint8

// The signals.
const (
	// Term asks it to end, and Kill ends it.
	Term Signal = iota
	Kill
	// Continue lets a stopped process go on, so that it sees Term.
	Continue
)

// String is the signal's name.
func (s Signal) String() string { return [...]string{"SIGTERM", "SIGKILL", "SIGCONT"}[s] }

// Targets takes hold of processes.
type Targets interface {
	// Open takes hold of the process that bears a pid now, or fails as
	// [process.Open] does.
	Open(pid int) (Target, error)
	// Alive tells whether a process is there and is no zombie.
	Alive(identity process.Identity) bool
}

// Why there is no hold on a process, beside what [process.Open] says.
var (
	errPlatform = errors.New("not supported on this platform")
	// errHidden says that a process is there and cannot be seen.
	errHidden = errors.New("the process is there, but the system does not show it")
	// errNoSoft says that a process can be ended, but not asked to end.
	errNoSoft = errors.New("the process cannot be asked to end")
)

// Child is a child of a process that is to be ended.
type Child struct {
	PID      int    `json:"pid"`
	Identity string `json:"identity"`
	// Name is what the kernel calls it; safe to show.
	Name string `json:"name"`

	identity process.Identity
}

// newChild makes a child; name is made safe to show.
func newChild(identity process.Identity, name string) Child {
	return Child{identity.PID, identity.String(), process.Printable(name), identity}
}
