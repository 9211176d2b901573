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
	// Denied counts, by fact, the processes that did not show it for want of
	// permission.
	Denied map[string]int
	// UnownedSockets counts listening sockets whose owner was not found.
	UnownedSockets int
}
