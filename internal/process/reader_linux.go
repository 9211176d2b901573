package process

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Config says where a [Reader] reads.
type Config struct {
	// Proc is the mount point of procfs; Root is where the host's files are.
	Proc, Root string
}

// Reader makes snapshots and keeps between them what makes the next one cheap.
// It is safe for concurrent use; snapshots are made one after the other.
type Reader struct {
	config Config

	mu        sync.Mutex
	real      bool // a procfs, not a fixture of plain files
	proc      int  // descriptor of the /proc directory
	boot8     string
	boot      time.Time
	host      Namespaces
	root      uint32 // uid of root: 0, in a fixture whoever made it
	users     *users
	pageSize  uint64
	noOpenat2 bool // the kernel lacks it, or a filter refuses it
	countFDs  bool // the size of /proc/PID/fd is the number of descriptors

	sequence   uint64
	revision   uint64 // the last that any process got
	processes  map[int]*tracked
	met        []*tracked // those of this snapshot, in its order
	exes       exeFiles
	remote     map[uint64]bool // by device, of those that isRemote was asked about
	mountsRead uint64          // the snapshot that last read which file systems there are
	sockets    *socketTable
	denied     map[string]uint64

	youngLife time.Duration

	heldDescriptors, maxDescriptors int
	sparing                         bool     // /proc/PID/fd is not held any more
	inUse                           *tracked // what is being read
	short                           bool     // something could not be opened for want of descriptors

	// calls counts the system calls that grow with what there is on the machine.
	calls uint64

	reading reading
	buffer  []byte
	listing []byte
	pids    []int
}

// Facts are read again in these cases; see the package comment.
const (
	factsTurn   = 64
	countTurn   = 4
	searchTurn  = 128
	searchPart  = 256
	youngLife   = 5 * time.Second
	reservedFDs = 256 // descriptors left to the rest of the program
)

// NewReader opens procfs. It fails where there is none.
func NewReader(config Config) (*Reader, error) {
	r, err := openProc(config)
	if err != nil {
		return nil, err
	}
	for fact := range unixDenied.All() {
		r.denied[fact.String()] = 0
	}
	r.sockets = newSocketTable()
	var limit unix.Rlimit
	r.maxDescriptors = 1024 - reservedFDs
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		r.maxDescriptors = max(0, int(min(limit.Cur, 1<<30))-reservedFDs)
	}
	return r, nil
}

// openProc makes what is needed to read any process.
func openProc(config Config) (*Reader, error) {
	if config.Root == "" {
		config.Root = "/"
	}
	config.Root = filepath.Clean(config.Root)
	proc, err := unix.Open(config.Proc, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", config.Proc, err)
	}
	r := &Reader{
		config:    config,
		proc:      proc,
		pageSize:  uint64(unix.Getpagesize()),
		processes: make(map[int]*tracked),
		youngLife: youngLife,
		exes:      make(exeFiles),
		remote:    make(map[uint64]bool),
		denied:    map[string]uint64{},
		buffer:    make([]byte, 2*unix.PathMax),
		listing:   make([]byte, 32<<10),
	}
	var fs unix.Statfs_t
	r.real = unix.Fstatfs(proc, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
	if !r.real {
		r.root = ownerOf(proc)
	}
	if r.boot8, err = bootID(config.Proc); err != nil {
		unix.Close(proc)
		return nil, err
	}
	r.host = r.hostNamespaces()
	r.config.Root = r.findRoot()
	r.users = newUsers(r.config.Root)
	var self unix.Stat_t
	r.countFDs = r.real && unix.Fstatat(proc, "self/fd", &self, 0) == nil && self.Size > 0
	return r, nil
}

// hostNamespaces are those of the first process that procfs shows, which in
// the host's procfs is the host's; our own where that may not be seen.
func (r *Reader) hostNamespaces() Namespaces {
	for _, name := range [...]string{"1", "self"} {
		t := newTracked(name)
		known := reading{}
		if ns := &known.facts.Namespaces; r.readNamespaces(t, &known) == nil && ns.Mount != 0 {
			ns.ByUser = false
			return *ns
		}
	}
	return Namespaces{}
}

// Close lets go of all descriptors. The reader must not be used after it.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.processes {
		r.close(t)
	}
	clear(r.processes)
	if r.sockets != nil {
		r.sockets.close()
	}
	if r.proc >= 0 {
		unix.Close(r.proc)
		r.proc = -1
	}
}

// Snapshot reads all processes. A process that ends meanwhile is left out, what
// may not be seen is left empty; an error means that nothing could be read.
func (r *Reader) Snapshot(ctx context.Context) (*Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := time.Now()
	boot, err := r.bootTime()
	if err != nil {
		return nil, err
	}
	r.boot = boot
	r.sequence++
	if r.users.refresh() {
		r.rename()
	}
	r.short = r.users.short
	if r.pids, err = listPIDs(r.proc, r.listing, r.pids[:0]); err != nil {
		return nil, err
	}
	r.met = r.met[:0]
	slices.Sort(r.pids) // procfs does so; a fixture may not
	s := &Snapshot{Taken: taken, MemoryTotal: r.memoryTotal(), Processes: make([]Process, 0, len(r.pids)+8)}
	for i, pid := range r.pids {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		p, err := r.read(pid)
		switch {
		case err == nil:
			s.Processes = append(s.Processes, p)
		case shortOfDescriptors(err):
			return nil, fmt.Errorf("read process %d: %w", pid, err)
		case denied(err):
			s.Hidden++
		} // any other has ended
	}
	r.forget()
	if err := r.readSockets(ctx, s); err != nil {
		return nil, err
	}
	if r.short { // something was taken for absent that may be there
		return nil, fmt.Errorf("read processes: %w", unix.EMFILE)
	}
	for i, t := range r.met {
		r.finish(t, &s.Processes[i])
		if !t.held() {
			s.Unheld++
		}
	}
	s.Denied = maps.Clone(r.denied)
	return s, nil
}

// finish gives a process of the snapshot what is known only once all have been
// read, and its revision.
func (r *Reader) finish(t *tracked, p *Process) {
	p.OpenFDs = t.openFDs
	p.Listen = t.listen
	p.Denied = t.factsDenied
	if t.socketsDenied {
		p.Denied |= DeniedSockets
	}
	if p.Denied != t.denied {
		t.denied = p.Denied
		t.changed = true
	}
	if t.changed {
		t.changed = false
		r.revision++ // no two judgements are ever made for the same one
		t.revision = r.revision
	}
	p.Revision = t.revision
}

// rename gives all processes the names of users that have changed.
func (r *Reader) rename() {
	for _, t := range r.processes {
		if name := r.users.name(t.facts.UID); name != t.facts.User {
			facts := *t.facts
			facts.User = name
			t.settle(&facts)
		}
	}
}

// forget lets go of the processes that this snapshot did not meet, and of the
// executables that nobody runs any more.
func (r *Reader) forget() {
	for pid, t := range r.processes {
		if t.seen != r.sequence {
			r.close(t)
			delete(r.processes, pid)
		}
	}
	for key, e := range r.exes {
		if e.checked != r.sequence {
			delete(r.exes, key)
		}
	}
}

// read reads one process, known or new.
func (r *Reader) read(pid int) (Process, error) {
	t, known := r.processes[pid]
	if known {
		p, err := r.update(t)
		if err == nil {
			r.met = append(r.met, t)
			return p, nil
		}
		r.close(t)
		delete(r.processes, pid)
	}
	t, err := r.open(pid)
	if err != nil {
		return Process{}, err
	}
	p, err := r.update(t)
	if err != nil {
		r.close(t)
		return Process{}, err
	}
	r.processes[pid] = t
	r.met = append(r.met, t)
	return p, nil
}
