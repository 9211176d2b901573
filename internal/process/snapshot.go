package process

import "time"

// Snapshot is all processes of one moment, with what the machine offers them.
type Snapshot struct {
	// Taken is when the reading began.
	Taken time.Time
	// Processes are ordered by pid. Kernel threads and zombies are among them.
	Processes []Process
	// MemoryTotal is the machine's memory in bytes, 0 where it is unknown.
	MemoryTotal uint64
	// Denied counts, by fact, how often one was out of reach for want of
	// permission, since the reader began. Every fact is in it.
	Denied map[string]uint64
	// Hidden counts the processes that /proc lists but does not let us read
	// (hidepid=1, proc(5)).
	Hidden int
	// Unheld counts the processes whose files had to be opened anew for want of
	// descriptors, which takes several times as long.
	Unheld int
	// UnownedSockets counts listening sockets whose owner was not found.
	UnownedSockets int
}
