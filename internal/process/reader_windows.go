package process

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Config says where a [Reader] reads; on Windows nothing of it is used.
type Config struct {
	Proc, Root string
}

// Reader makes snapshots and keeps between them what makes the next one cheap.
// It is safe for concurrent use; snapshots are made one after the other.
//
// One system call lists all processes with the figures that change all the
// time, and with when each was made: pid and that time are the identity, of
// which the facts are read once, again in the first seconds of a life, and for
// one process in 64 in turn with every snapshot. No handle is kept: each would
// keep its process from going away.
type Reader struct {
	mu        sync.Mutex
	boot      string
	queries   *queries
	list      processList
	tables    tables
	hosted    hosted
	accounts  *accounts
	processes map[int]*tracked
	files     exeFiles
	denied    map[string]uint64
	sequence  uint64
	revision  uint64
}

// Facts are read again, and the services asked for, in these turns.
const (
	factsTurn  = 64
	hostedTurn = 16
	youngLife  = 5 * time.Second
)

// NewReader makes a reader.
func NewReader(Config) (*Reader, error) {
	boot, err := BootID()
	if err != nil {
		return nil, err
	}
	r := &Reader{
		boot: boot, queries: newQueries(), accounts: newAccounts(),
		processes: make(map[int]*tracked), files: make(exeFiles), denied: make(map[string]uint64),
	}
	for fact := range anyDenied.All() {
		r.denied[fact.String()] = 0
	}
	return r, nil
}

// Close lets go of the service control manager.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosted.close()
}

// Snapshot reads all processes. A process that ends meanwhile is left out of
// what is read slowly, what may not be seen is left empty.
func (r *Reader) Snapshot(ctx context.Context) (*Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r.sequence++
	s := &Snapshot{Taken: time.Now(), MemoryTotal: memoryTotal()}
	raw, fresh, err := r.readList()
	if err != nil {
		return nil, err
	}
	if fresh || r.sequence%hostedTurn == 0 {
		r.hosted.refresh()
	}
	sockets, err := r.tables.read()
	if err != nil {
		return nil, err
	}
	s.Processes = make([]Process, 0, len(raw))
	for i := range raw {
		if i%64 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		p, err := r.update(&raw[i], sockets[raw[i].pid], s.Taken)
		if err != nil {
			continue // it has ended
		}
		s.Processes = append(s.Processes, p)
		delete(sockets, raw[i].pid)
	}
	for _, unowned := range sockets {
		s.UnownedSockets += len(unowned)
	}
	r.forget()
	slices.SortFunc(s.Processes, func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
	s.Denied = maps.Clone(r.denied)
	return s, nil
}

// readList reads the list of processes, and tells whether any is new. Parents
// are those that live and were made before their children: the pid of one that
// has ended may belong to another process by now.
func (r *Reader) readList() (raw []rawProcess, fresh bool, err error) {
	text, err := r.list.read()
	if err != nil {
		return nil, false, err
	}
	raw = make([]rawProcess, 0, len(r.processes)+16)
	if err := parseProcesses(text, func(p *rawProcess) { raw = append(raw, *p) }); err != nil {
		return nil, false, fmt.Errorf("list processes: %w", err)
	}
	created := make(map[int]uint64, len(raw))
	for i := range raw {
		created[raw[i].pid] = raw[i].created
	}
	for i := range raw {
		p := &raw[i]
		if made, ok := created[p.parent]; !ok || made > p.created || p.parent == p.pid {
			p.parent = 0
		}
		t := r.processes[p.pid]
		fresh = fresh || t == nil || t.StartTicks != p.created
	}
	return raw, fresh, nil
}

// forget drops what belongs to processes that this snapshot did not meet.
func (r *Reader) forget() {
	for pid, t := range r.processes {
		if t.seen != r.sequence {
			delete(r.processes, pid)
		}
	}
	for path, f := range r.files {
		if f.used != r.sequence {
			delete(r.files, path)
		}
	}
}

// memoryTotal is the machine's memory, 0 where it is not told.
func memoryTotal() uint64 {
	status, err := memoryStatus()
	if err != nil {
		return 0
	}
	return status.TotalPhys
}

// isKernel tells the idle process and the system process, which are parts of the
// kernel.
func isKernel(pid int) bool { return pid == 0 || pid == 4 }

// session is the number of a session, -1 where Windows has none for it.
func session(number int) int {
	if uint32(number) == ^uint32(0) {
		return -1
	}
	return number
}
