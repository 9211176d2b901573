package process

import (
	"net/netip"
	"time"
)

// Process is one user-space thread group, kernel thread or zombie as one
// [Snapshot] saw it. It is immutable: a later snapshot holds new values and
// shares with this one only what has not changed.
type Process struct {
	Identity

	// PPID is the pid of the parent, 0 where there is none.
	PPID int
	// Comm is the name the kernel holds: at most 15 bytes (more for its own
	// threads), chosen by the process itself, and not to be trusted (proc(5),
	// /proc/pid/comm).
	Comm string
	// State is the scheduler's state.
	State State
	// Session is the POSIX session id, which is the pid of its leader.
	Session int
	// TTY is the controlling terminal, as "pts/3" or "tty1"; empty without one.
	TTY string
	// Kernel tells a kernel thread (PF_KTHREAD).
	Kernel bool

	// CPUSeconds is user and system time spent since the start, in seconds.
	CPUSeconds float64
	// ResidentBytes is the physical memory in use.
	ResidentBytes uint64
	// Threads counts the threads of the group.
	Threads int
	// OpenFDs counts the open descriptors, -1 where it may not be seen.
	OpenFDs int
	// StartTime is when the process started, by the machine's clock.
	StartTime time.Time

	// Facts are what is slow to read and seldom changes. Never nil.
	*Facts
	// Listen are the sockets that wait for peers, ordered by port, protocol
	// and address. A socket that several processes hold is in each of them.
	Listen []Socket

	// Denied are the facts that could not be seen for want of permission.
	Denied Denied

	// Revision changes whenever anything but State, CPUSeconds,
	// ResidentBytes, Threads and OpenFDs does, so that a judgement made for
	// one revision of an identity holds for it.
	Revision uint64
}

// Facts are the properties of a process that are read once for each identity
// and again when something says that they may have changed; the package
// comment says when.
type Facts struct {
	// Name is the base name of the executable without " (deleted)", or Comm
	// where the executable cannot be seen. It may hold any byte but '/'.
	Name string
	// Exe is the path of the executable as its own mount namespace shows it,
	// without " (deleted)"; empty where it cannot be seen. Where the kernel
	// has no path for it, it begins with '(' instead of '/'.
	Exe string
	// Root is the root folder of a process that called chroot(2), else "/".
	Root string
	// File says what is known of the executable beside its path.
	File File
	// Argv0 is the first word of the command line, chosen by the process
	// itself. Nothing else of the command line is kept but the scripts.
	Argv0 string
	// Script is the path of the script where the executable is an interpreter
	// and the command line names one; chosen by the process itself.
	Script string
	// OtherScripts are paths that may be the script as well, as an option before
	// them is not known; each ends with a NUL. Denials take them into account.
	OtherScripts string
	// UID is the effective user id, -1 where the platform has none.
	UID int
	// User is the name of the effective user, or the id in digits.
	User string
	// Unit is the systemd system unit from the cgroup path: "nginx.service",
	// "session-3.scope", "user@1000.service"; on Windows the services that the
	// process hosts, as "Dnscache,NlaSvc"; empty without one.
	Unit string
	// UserUnit is the unit of a user's own systemd, below user@UID.service.
	UserUnit string
	// Slice is the topmost slice: "system.slice", "user.slice",
	// "machine.slice"; empty without one.
	Slice string
	// Container is the id or name of the container, empty outside of one.
	Container string
	// Namespaces are the inode numbers of the namespaces it lives in.
	Namespaces Namespaces
	// ContainerInit tells the first process of a container's pid namespace,
	// where it is certain that no ordinary user made that up: a container
	// without root is not told from one.
	ContainerInit bool
	// Windows is what Windows alone tells; nil on every other system.
	Windows *Windows
}

// File is what is known of an executable.
type File struct {
	// Device and Inode name the file itself.
	Device, Inode uint64
	// Deleted tells that the path no longer leads to the running file: it was
	// removed or replaced.
	Deleted bool
	// Memory tells that the file never was on a disk: memfd_create(2), or
	// an unlinked shared-memory file.
	Memory bool
	// Writable tells that everyone may write to the file or to its folder.
	Writable bool
	// Trusted tells that an ordinary user cannot have forged Exe: the running
	// file is the one that the host shows at that path, it and the folders that
	// lead to it belong to root, nobody else may write to them, and its
	// namespaces were not made by an ordinary user.
	Trusted bool
	// CommIsLink tells that a folder of standard programs holds a link called
	// Comm which leads to this file ("vi" to vim.basic, "sh" to dash).
	CommIsLink bool
}

// Namespaces are inode numbers as in namespaces(7); 0 is unknown.
type Namespaces struct {
	Mount, Net, PID, User uint64
	// ByUser tells that an ordinary user made the user namespace, so that what
	// the mount namespace shows, paths among it, proves nothing.
	ByUser bool
}

// State is the state of the scheduler (proc_pid_stat(5)).
type State byte

// The states of a process. The kernel knows more letters; they are passed on.
const (
	Running         State = 'R'
	Sleeping        State = 'S'
	Uninterruptible State = 'D'
	Zombie          State = 'Z'
	Stopped         State = 'T'
	Traced          State = 't'
	Idle            State = 'I'
	Dead            State = 'X'
)

// ended tells a process that runs nothing any more.
func (s State) ended() bool { return s == Zombie || s == Dead }

// Socket is a TCP socket that listens or a UDP socket that is bound without
// a peer.
type Socket struct {
	Protocol Protocol
	Addr     netip.AddrPort
	// Foreign tells that the socket belongs to another network namespace than
	// the host's: its addresses are not the host's.
	Foreign bool
	// Inode names the socket; two processes with the same inode share it.
	Inode uint64
}

// Protocol is a transport protocol.
type Protocol uint8

// The protocols that are looked at.
const (
	TCP Protocol = iota
	UDP
)

// Scope says from where a socket can be reached.
type Scope uint8

// The scopes, from the narrowest.
const (
	Loopback Scope = iota
	Private
	Public
)
