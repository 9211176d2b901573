package process

import (
	"cmp"
	"net/netip"
)

// String is the label value: "tcp" or "udp".
func (p Protocol) String() string { return [...]string{"tcp", "udp"}[p] }

// String is the label value: "loopback", "private" or "public".
func (s Scope) String() string { return [...]string{"loopback", "private", "public"}[s] }

// Scope tells from where the socket can be reached, judged by the address it is
// bound to. An unspecified address counts as public, for it takes in all that
// the machine has or will have; in a foreign network namespace, whose
// interfaces are not the host's, nothing is wider than private.
func (s Socket) Scope() Scope {
	addr := s.Addr.Addr().Unmap()
	switch {
	case addr.IsLoopback():
		return Loopback
	case s.Foreign || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsLinkLocalMulticast() || sharedSpace.Contains(addr):
		return Private
	}
	return Public
}

// sharedSpace is the address space between carriers and customers, RFC 6598.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// compareSockets orders by port, protocol, address and inode.
func compareSockets(a, b Socket) int {
	return cmp.Or(
		cmp.Compare(a.Addr.Port(), b.Addr.Port()),
		cmp.Compare(a.Protocol, b.Protocol),
		a.Addr.Compare(b.Addr),
		cmp.Compare(a.Inode, b.Inode),
	)
}
