package process

import "errors"

// What can keep a handle from being opened or read. Errors are told apart by
// [errors.Is].
var (
	// ErrGone says that the process has ended and its parent knows.
	ErrGone = errors.New("the process is gone")
	// ErrNotLeader says that a pid is the id of a thread, not of a process.
	ErrNotLeader = errors.New("the id is that of a thread")
	// ErrNoPidfd says that the kernel, or a filter of system calls, gives no
	// pidfd or takes no signal through one.
	ErrNoPidfd = errors.New("no process can be held by pidfd here")
	// ErrForeignProc says that /proc shows another pid namespace than our own,
	// so that its pids are not ours.
	ErrForeignProc = errors.New("/proc is not that of our own pid namespace")
	// ErrUnsteady says that a process changed whenever it was read, so that
	// nothing that holds together is known of it.
	ErrUnsteady = errors.New("the process changes faster than it can be read")
)

// Live is what a handle reads of its process at one moment.
type Live struct {
	// Process is as in a snapshot, but without Listen and Revision.
	Process
	// Exited tells a process that has ended, all threads of it, and waits for
	// its parent to take note. A zombie that has not exited is a process whose
	// first thread has ended while others go on.
	Exited bool
	// Cgroup is the path of its control group, from which Slice, Unit, UserUnit
	// and Container are read.
	Cgroup string
	// UIDs are all user ids of the first thread.
	UIDs UIDs
	// LoginUID is who logged in, as pam_loginuid(8) sets it, and AuditSession
	// the number of that login; -1 where they are unset or the kernel keeps
	// none. A login uid that is unset can be set by anybody.
	LoginUID, AuditSession int
	// PIDs are its pids in each pid namespace from ours to its own (NStgid).
	PIDs []int
	// SessionLeader tells the leader of a session, as login shells are.
	SessionLeader bool
}

// UIDs are the user ids of a process (credentials(7)).
type UIDs struct {
	Real, Effective, Saved, FileSystem int
}

// All tells whether each of the ids satisfies a condition.
func (u UIDs) All(condition func(uid int) bool) bool {
	return condition(u.Real) && condition(u.Effective) && condition(u.Saved) && condition(u.FileSystem)
}

// Any tells whether one of the ids satisfies a condition.
func (u UIDs) Any(condition func(uid int) bool) bool {
	return condition(u.Real) || condition(u.Effective) || condition(u.Saved) || condition(u.FileSystem)
}
