package proctest

import (
	"net/netip"
	"slices"
)

// The namespaces of a fixture's host, with the numbers that Linux gives its
// first ones (linux/include/linux/proc_ns.h).
const (
	HostUser  = 4026531837
	HostPID   = 4026531836
	HostNet   = 4026531840
	HostMount = 4026531841
)

// Tree says what a fixture holds.
type Tree struct {
	Processes []Process
	// Sockets are in the tables of their network namespaces; processes hold
	// them by inode.
	Sockets []Socket
	// Files are those of the host that differ from what [Tree.Write] makes by
	// itself, or that no process runs.
	Files []File
	// Users are the lines of etc/passwd.
	Users []User

	BootID      string // default "5f3a1c9e-0d2b-4c68-9a7e-1b2c3d4e5f60"
	BootTime    int64  // seconds since 1970; default [BootTime]
	MemoryTotal uint64 // bytes; default [MemoryTotal]
}

// The machine of a tree that does not say otherwise.
const (
	BootTime    = 1_750_000_000
	MemoryTotal = 8 << 30
	bootID      = "5f3a1c9e-0d2b-4c68-9a7e-1b2c3d4e5f60"
)

// Process is one process of a tree.
type Process struct {
	PID, PPID int
	// Comm is the kernel's name for it; default the base name of Exe, cut to 15
	// bytes.
	Comm string
	// State is the letter of its state; default 'S', for kernel threads 'I'.
	State byte
	// Exe is where the link exe leads, " (deleted)" and all. Without it there is
	// no link, as for kernel threads and zombies.
	Exe string
	// Args are the words of the command line; default Exe alone.
	Args []string
	// UID is the real, effective, saved and file system user id; UIDs, where it
	// is not nil, gives each of the four.
	UID  int
	UIDs *[4]int
	// Cgroup is the path in the unified hierarchy; default "/". CgroupText,
	// where it is not empty, is the whole file instead.
	Cgroup, CgroupText string
	// Root is where the link root leads; default "/".
	Root string
	// Session is the session id; default 0 for kernel threads, else the pid. TTY
	// is the device number of the terminal as stat has it: [PTS] makes one.
	Session int
	TTY     int
	// Kernel marks a kernel thread.
	Kernel bool

	Threads    int    // default 1
	CPUTicks   uint64 // user time in hundredths of a second
	StartTicks uint64 // hundredths of a second since boot; default the pid
	RSS        uint64 // resident memory in bytes

	// User, Mount, Net and PIDNS are its namespaces; default the host's. A
	// process in another pid namespace is NSPID there.
	User, Mount, Net, PIDNS uint64
	NSPID                   int

	// Sockets are the inodes of the sockets it holds, from descriptor 3 on.
	Sockets []uint64
	// Descriptors is how many others it has; default 3, none for kernel threads
	// and zombies.
	Descriptors int
	// Image stands for the addresses that execve(2) draws: another number is
	// another execution. They also differ with Exe and Args.
	Image uint64
}

// Socket is one line of the tables of a network namespace.
type Socket struct {
	UDP   bool
	Addr  netip.AddrPort
	Inode uint64
	Net   uint64 // the namespace; default the host's
	// Connected makes it one that has a peer, and so does not listen.
	Connected bool
}

// TCP is a listening socket of the host.
func TCP(addr string, inode uint64) Socket {
	return Socket{Addr: netip.MustParseAddrPort(addr), Inode: inode}
}

// UDP is a bound socket of the host without a peer.
func UDP(addr string, inode uint64) Socket {
	return Socket{UDP: true, Addr: netip.MustParseAddrPort(addr), Inode: inode}
}

// File is a file of the host, below Root.
type File struct {
	Path string
	// Mode is its mode; default 0755, below /home and the folders for passing
	// files 0775, which makes it nobody's idea of a trusted file. FolderMode is that of its folder; default
	// as it is, 0755 where it is new.
	Mode, FolderMode uint32
	// Link, where not empty, makes a symbolic link to that path of the host.
	Link string
	// Mount is the mount namespace that shows the file; default the host's.
	Mount uint64
	// Absent keeps [Tree.Write] from making the file.
	Absent bool
}

// User is a line of etc/passwd.
type User struct {
	Name string
	UID  int
}

// PTS is the device number of a pseudo-terminal.
func PTS(n int) int { return 136<<8 | n&0xff | n>>8<<20 }

// Process finds a process of the tree to change it, nil where there is none.
func (t *Tree) Process(pid int) *Process {
	i := slices.IndexFunc(t.Processes, func(p Process) bool { return p.PID == pid })
	if i < 0 {
		return nil
	}
	return &t.Processes[i]
}
