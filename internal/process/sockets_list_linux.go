package process

import "golang.org/x/sys/unix"

// listSockets notes the sockets of all namespaces that any process lives in.
// It may be called again for the same snapshot. Those of the host come last: a process that has just come back to it from
// another namespace must not make them foreign.
func (r *Reader) listSockets(again bool) {
	table := r.sockets
	table.listings++
	r.listForeignSockets(again)
	r.listHostSockets(table.note(0))
	table.missing = 0
	for inode, s := range table.sockets {
		if s.listed != table.listings && table.isListed(s.net) {
			delete(table.sockets, inode)
		} else if !s.searched && len(s.owners) == 0 {
			table.missing++
		}
	}
}

// note takes in a socket of a network namespace, which is 0 for the host's.
func (s *socketTable) note(net uint64) func(Socket) {
	return func(found Socket) {
		if found.Inode == 0 {
			return // being closed
		}
		known, ok := s.sockets[found.Inode]
		if !ok {
			known = &socket{}
			s.sockets[found.Inode] = known
		}
		found.Foreign = net != 0
		known.Socket, known.net, known.listed = found, net, s.listings
	}
}

// isListed tells whether the present listing looked at a network namespace, or
// found that nobody lives there any more.
func (s *socketTable) isListed(net uint64) bool {
	n := s.networks[net]
	return net == 0 || n == nil || n.listed == s.listings
}

// listHostSockets lists the sockets of the host's network namespace: by
// sock_diag where that is ours too, else from the tables of its first process.
func (r *Reader) listHostSockets(found func(Socket)) {
	table := r.sockets
	if table.diag != nil && r.real && r.inHostNetwork() {
		if table.diag.list(found) == nil {
			return
		}
		table.diag.close() // a kernel without the modules, or a filter
		table.diag = nil
	}
	if !r.listNet(newTracked("1"), found) {
		r.listNet(newTracked("self"), found)
	}
}

// inHostNetwork tells whether our own network namespace is the host's.
func (r *Reader) inHostNetwork() bool {
	var own [64]byte
	n, err := unix.Readlink("/proc/self/ns/net", own[:])
	return err != nil || r.host.Net == 0 || bracketed(own[:n]) == r.host.Net
}

// network is a network namespace that is not the host's.
//
// Where we may not enter it, its tables in /proc/PID/net are dear, milliseconds
// each: for a few lines the kernel walks its hash table of all connections of
// the machine. A namespace is read when it is new, when one of its processes has
// let go of a socket or has another number of descriptors than before, and in
// turn; and of those that are not new, only some in each snapshot.
type network struct {
	due    bool
	seen   uint64 // the last snapshot in which a process lived there
	listed uint64 // the last listing that looked at it, 0 before the first
}

// networkTurn is how often a network namespace is read when nothing seems to
// happen there; a snapshot that has to read tables reads no more than this part
// of them. Few of them are read every time where they can be entered, which
// takes 0.15 ms each: a listener may come where a file was closed, so that the
// number of descriptors is the same.
const (
	networkTurn = 16
	fewNetworks = 8
)

// listForeignSockets lists the sockets of the network namespaces that are due,
// each through one of the processes that live in it.
func (r *Reader) listForeignSockets(again bool) {
	if r.host.Net == 0 {
		return
	}
	table := r.sockets
	r.meetNetworks(again)
	dear := 1 + len(table.networks)/networkTurn
	for i := range r.met {
		t := r.met[(uint64(i)+r.sequence)%uint64(len(r.met))] // another one is first every time
		net := t.facts.Namespaces.Net
		n := table.networks[net]
		if n == nil || !n.due || t.ended || table.noSetns && n.listed != 0 && dear == 0 {
			continue
		}
		fresh := n.listed == 0
		if r.listNetOf(t, table.note(net)) { // another is asked where this one has just ended
			n.due, n.listed = false, table.listings
			if !fresh {
				dear--
			}
		}
	}
}

// meetNetworks notes the network namespaces in which processes live now, and
// which of them are due.
func (r *Reader) meetNetworks(again bool) {
	table := r.sockets
	for _, t := range r.met {
		net := t.facts.Namespaces.Net
		if net == 0 || net == r.host.Net || t.ended {
			continue
		}
		n := table.networks[net]
		if n == nil {
			n = &network{due: true}
			table.networks[net] = n
		}
		if n.seen != r.sequence {
			n.seen = r.sequence
			n.due = n.due || (r.sequence+net)%networkTurn == 0
		}
		n.due = n.due || t.fdsChanged && !again
	}
	for net, n := range table.networks {
		if n.seen != r.sequence {
			delete(table.networks, net)
		}
	}
	if again || table.noSetns || len(table.networks) > fewNetworks {
		return
	}
	for _, n := range table.networks {
		n.due = true
	}
}

// listNetOf is listNet where nothing but the pid may be known of the process.
func (r *Reader) listNetOf(t *tracked, found func(Socket)) bool {
	release, err := r.hold(t)
	if err != nil {
		return false
	}
	defer release()
	if !t.held() {
		if _, err := r.readStat(t); err != nil {
			return false
		}
	}
	return r.listByDiag(t, found) || r.listNet(t, found)
}

// listNet reads the tables of /proc/PID/net and tells whether there were any.
func (r *Reader) listNet(t *tracked, found func(Socket)) bool {
	some := false
	for _, file := range netFiles {
		f, err := r.openAt(t, file.name)
		if err != nil {
			continue
		}
		some = true
		_ = parseNet(f, file.protocol, found) // what was read is as good as any
		f.Close()
	}
	return some
}
