package process

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// socketTable follows the listening sockets of all network namespaces.
type socketTable struct {
	diag     *diag // nil where the kernel has none
	noSetns  bool  // we may not enter other network namespaces
	buffer   []byte
	sockets  map[uint64]*socket
	networks map[uint64]*network // but the host's
	listings uint64
	searches uint64
	missing  int    // new sockets without an owner
	names    []byte // space for "fd/NUMBER"
	holdings []holding
}

// socket is one listening socket and who holds it.
type socket struct {
	Socket
	net      uint64 // the network namespace, 0 for the host's
	owners   []owner
	listed   uint64 // the last listing that met it
	searched bool   // everybody was asked for it once
	found    uint64 // the last search that met it
}

// owner is a process that holds a socket, and one descriptor by which it does.
type owner struct {
	process *tracked
	fd      int
}

// holding is a process and a socket that it holds.
type holding struct {
	process *tracked
	socket  Socket
}

func newSocketTable() *socketTable {
	s := &socketTable{sockets: make(map[uint64]*socket), networks: make(map[uint64]*network), buffer: make([]byte, 32<<10)}
	s.diag, _ = newDiag(s.buffer) // without it the tables of /proc are read
	return s
}

func (s *socketTable) close() {
	if s.diag != nil {
		s.diag.close()
	}
}

// readSockets finds the listening sockets and their owners, and gives them to
// the processes of the snapshot.
func (r *Reader) readSockets(ctx context.Context, snapshot *Snapshot) error {
	r.listSockets(false)
	r.verifyOwners()
	if err := r.findOwners(ctx); err != nil {
		return err
	}
	r.assignSockets(snapshot)
	return nil
}

// verifyOwners drops the owners that let go of their sockets.
func (r *Reader) verifyOwners() {
	for inode, s := range r.sockets.sockets {
		before := len(s.owners)
		s.owners = slices.DeleteFunc(s.owners, func(o owner) bool {
			if o.process.seen != r.sequence {
				return true
			}
			if r.leadsTo(o, inode) {
				return false
			}
			o.process.searched = false // it may hold it by another descriptor
			return true
		})
		if n := r.sockets.networks[s.net]; n != nil && len(s.owners) < before {
			n.due = true
		}
		if len(s.owners) < before && len(s.owners) == 0 {
			s.searched = false
			r.sockets.missing++
		}
	}
}

// leadsTo tells whether the descriptor is still that socket.
func (r *Reader) leadsTo(o owner, inode uint64) bool {
	table := r.sockets
	table.names = strconv.AppendInt(append(table.names[:0], "fd/"...), int64(o.fd), 10)
	link, err := r.linkAt(o.process, string(table.names))
	return err == nil && isSocket(link) && bracketed(link) == inode
}

// isSocket tells the link of a descriptor that is a socket: "socket:[123]".
func isSocket(link []byte) bool { return len(link) > 9 && string(link[:8]) == "socket:[" }

// findOwners searches descriptors: those of new processes always, those of
// others as far as a new socket makes it needed, the likely ones first. A socket
// that one process passes to another (unix(7)) is not new: processes whose
// number of descriptors has changed are searched for those too, some in each
// snapshot, and all others in turn.
func (r *Reader) findOwners(ctx context.Context) error {
	table := r.sockets
	news := table.missing > 0
	if news {
		r.countAll()
	}
	quota := 1 + len(r.met)/searchPart
	for i := range r.met {
		t := r.met[(uint64(i)+r.sequence)%uint64(len(r.met))] // another one is first every time
		t.fdsUnsearched = t.fdsUnsearched || t.fdsChanged
		likely := t.fdsChanged || len(t.listen) > 0
		turn := (r.sequence+uint64(t.PID))%searchTurn == 0
		switch {
		case !t.searched, turn, news && likely:
		case t.fdsUnsearched && quota > 0:
			quota--
		default:
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.search(t)
	}
	if table.missing > 0 {
		r.listSockets(true) // who let go of its socket would be looked for in vain
	}
	for _, t := range r.met {
		if table.missing == 0 {
			break
		}
		if t.lastSearch == r.sequence {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.search(t)
	}
	for _, s := range table.sockets {
		s.searched = true
	}
	return nil
}

// countAll counts the descriptors of those processes whose turn was not now.
func (r *Reader) countAll() {
	for _, t := range r.met {
		if t.counted != r.sequence {
			r.readDescriptorCount(t)
		}
	}
}

// search walks the descriptors of a process and notes the sockets among them.
// One descriptor for each socket is enough, lest somebody makes a million.
func (r *Reader) search(t *tracked) {
	t.searched, t.fdsUnsearched, t.lastSearch = true, false, r.sequence
	if t.kernel || t.ended {
		return
	}
	table := r.sockets
	table.searches++
	release, err := r.hold(t)
	if err != nil {
		t.searched = !shortOfDescriptors(err)
		return
	}
	defer release()
	if !t.held() {
		if _, err := r.readStat(t); err != nil {
			return // it has ended, and the pid may belong to another process
		}
	}
	wasDenied := t.socketsDenied
	found, err := r.listDescriptors(t, func(fd int, link []byte) {
		if !isSocket(link) {
			return
		}
		s, ok := table.sockets[bracketed(link)]
		if !ok || s.found == table.searches {
			return
		}
		s.found = table.searches
		if !s.searched && len(s.owners) == 0 {
			table.missing--
		}
		if !slices.ContainsFunc(s.owners, func(o owner) bool { return o.process == t }) {
			s.owners = append(s.owners, owner{t, fd})
		}
	})
	t.searched = !shortOfDescriptors(err)
	t.socketsDenied = found < 0
	if t.socketsDenied && !wasDenied {
		r.countDenied(DeniedSockets)
	}
}

// listDescriptors counts the open descriptors of a process and, where each is
// given, calls it for each with where it leads. It returns -1 without
// permission, and 0 with the error where they cannot be listed otherwise.
func (r *Reader) listDescriptors(t *tracked, each func(fd int, link []byte)) (int, error) {
	dir, name := r.at(t, "fd")
	fd, err := r.openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if denied(err) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	count := 0
	for {
		r.calls++
		n, err := unix.Getdents(fd, r.listing)
		if err != nil || n == 0 {
			return count, nil
		}
		for entry := r.listing[:n]; len(entry) > 0; {
			size := binary.NativeEndian.Uint16(entry[16:])
			if number, ok := parsePID(entry[19:size]); ok {
				count++
				if each != nil {
					r.calls++
					end := slices.Index(entry[19:size], 0)
					if n, err := unix.Readlinkat(fd, string(entry[19:19+end]), r.buffer); err == nil {
						each(number, r.buffer[:n])
					}
				}
			}
			entry = entry[size:]
		}
	}
}

// assignSockets gives each process of the snapshot the sockets that it holds.
func (r *Reader) assignSockets(snapshot *Snapshot) {
	table := r.sockets
	table.holdings = table.holdings[:0]
	for _, s := range table.sockets {
		if len(s.owners) == 0 {
			snapshot.UnownedSockets++
		}
		for _, o := range s.owners {
			table.holdings = append(table.holdings, holding{o.process, s.Socket})
		}
	}
	slices.SortFunc(table.holdings, func(a, b holding) int {
		return cmp.Or(cmp.Compare(a.process.PID, b.process.PID), compareSockets(a.socket, b.socket))
	})
	rest := table.holdings
	for _, t := range r.met {
		n := 0
		for n < len(rest) && rest[n].process == t {
			n++
		}
		t.takeSockets(rest[:n])
		rest = rest[n:]
	}
	clear(table.holdings) // they would keep processes that have ended
}

// takeSockets takes over which sockets the process holds. The list is made anew
// where they differ: earlier snapshots have the old one.
func (t *tracked) takeSockets(held []holding) {
	if slices.EqualFunc(held, t.listen, func(h holding, s Socket) bool { return h.socket == s }) {
		return
	}
	t.changed = true
	t.listen = nil
	for _, h := range held {
		t.listen = append(t.listen, h.socket)
	}
}
