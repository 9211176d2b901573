package process

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func listens(p *Process, protocol Protocol, address string) bool {
	want := netip.MustParseAddrPort(address)
	return slices.ContainsFunc(p.Listen, func(s Socket) bool {
		return s.Protocol == protocol && s.Addr.Port() == want.Port() && s.Addr.Addr().Unmap() == want.Addr().Unmap()
	})
}

func TestListeners(t *testing.T) {
	r := realReader(t)
	h := startHelper(t, "", nil)
	if p := look(t, r, h.pid); len(p.Listen) != 0 {
		t.Fatalf("listens already: %v", p.Listen)
	}
	cases := []struct {
		network, address string
		protocol         Protocol
		scope            Scope
	}{
		{"tcp4", "127.0.0.1:0", TCP, Loopback},
		{"tcp4", "0.0.0.0:0", TCP, Public},
		{"tcp6", "[::1]:0", TCP, Loopback},
		{"tcp6", "[::]:0", TCP, Public},
		{"udp4", "127.0.0.1:0", UDP, Loopback},
		{"udp4", "0.0.0.0:0", UDP, Public},
		{"udp6", "[::1]:0", UDP, Loopback},
		{"udp6", "[::]:0", UDP, Public},
	}
	for _, c := range cases {
		t.Run(c.network+" "+c.address, func(t *testing.T) {
			revision := look(t, r, h.pid).Revision
			bound := h.do("listen " + c.network + " " + c.address)
			p := look(t, r, h.pid)
			if !listens(p, c.protocol, bound) {
				t.Fatalf("not among %v", p.Listen)
			}
			if p.Revision == revision {
				t.Error("the revision is the same")
			}
			for _, s := range p.Listen {
				if s.Addr.Port() == netip.MustParseAddrPort(bound).Port() && s.Protocol == c.protocol && s.Scope() != c.scope {
					t.Errorf("%v has scope %v, want %v", s, s.Scope(), c.scope)
				}
			}
			if again := look(t, r, h.pid); again.Revision != p.Revision || &again.Listen[0] != &p.Listen[0] {
				t.Error("another revision or list though nothing changed")
			}
			h.do("close")
			if p := look(t, r, h.pid); listens(p, c.protocol, bound) {
				t.Errorf("closed, but among %v", p.Listen)
			}
		})
	}
}

func TestReusedPortHasItsOwnOwners(t *testing.T) {
	r := realReader(t)
	a, b := startHelper(t, "", nil), startHelper(t, "", nil)
	take(t, r)
	address := a.do("listen tcp4 127.0.0.1:0")
	b.do("listen tcp4 " + address)
	s := take(t, r)
	one, other := find(s, a.pid), find(s, b.pid)
	if !listens(one, TCP, address) || !listens(other, TCP, address) {
		t.Fatalf("%v and %v, want %s in both", one.Listen, other.Listen, address)
	}
	if one.Listen[0].Inode == other.Listen[0].Inode {
		t.Error("two sockets have one inode")
	}
	b.do("close")
	s = take(t, r)
	if one, other = find(s, a.pid), find(s, b.pid); !listens(one, TCP, address) || listens(other, TCP, address) {
		t.Errorf("after one closed it: %v and %v", one.Listen, other.Listen)
	}
}

func TestInheritedSocketHasTwoOwners(t *testing.T) {
	r := realReader(t)
	h := startHelper(t, "", nil)
	address := h.do("listen tcp4 0.0.0.0:0")
	take(t, r)
	child, err := strconv.Atoi(h.do("child"))
	if err != nil {
		t.Fatal(err)
	}
	s := take(t, r)
	parent, heir := find(s, h.pid), find(s, child)
	if !listens(parent, TCP, address) || !listens(heir, TCP, address) {
		t.Fatalf("%v and %v, want %s in both", parent.Listen, heir.Listen, address)
	}
	if parent.Listen[0].Inode != heir.Listen[0].Inode {
		t.Error("a shared socket has two inodes")
	}
	h.do("close")
	s = take(t, r)
	if parent, heir = find(s, h.pid), find(s, child); len(parent.Listen) != 0 || !listens(heir, TCP, address) {
		t.Errorf("after the parent closed it: %v and %v", parent.Listen, heir.Listen)
	}
}

// TestNetworkNamespace reads the sockets of a process with a network of its own,
// once by entering it and once from the tables in /proc.
func TestNetworkNamespace(t *testing.T) {
	needRoot(t)
	for _, noSetns := range []bool{false, true} {
		t.Run("tables="+strconv.FormatBool(noSetns), func(t *testing.T) {
			r := realReader(t)
			r.sockets.noSetns = noSetns
			h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET})
			if p := look(t, r, h.pid); len(p.Listen) != 0 {
				t.Fatalf("listens already: %v", p.Listen)
			}
			address := h.do("listen tcp4 0.0.0.0:0")
			if noSetns {
				eventually(t, "the socket", func() bool { return len(look(t, r, h.pid).Listen) != 0 })
			}
			p := look(t, r, h.pid)
			if !listens(p, TCP, address) || !p.Listen[0].Foreign || p.Listen[0].Scope() != Private {
				t.Errorf("%v", p.Listen)
			}
			if own := look(t, r, os.Getpid()); own.Namespaces.Net == p.Namespaces.Net {
				t.Error("the same network namespace")
			}
			if p := look(t, r, h.pid); !listens(p, TCP, address) {
				t.Errorf("nothing happened, but %v", p.Listen)
			}
			h.do("close")
			if noSetns { // the tables of other networks may have been due before
				eventually(t, "the end of the socket", func() bool { return len(look(t, r, h.pid).Listen) == 0 })
			}
			if p := look(t, r, h.pid); len(p.Listen) != 0 {
				t.Errorf("closed, but %v", p.Listen)
			}
			if r.sockets.noSetns != noSetns {
				t.Error("could not enter the namespace")
			}
		})
	}
}

// TestEnteringNetworksLeavesNothing behind: no thread stays in another network.
func TestEnteringNetworksLeavesNothing(t *testing.T) {
	needRoot(t)
	r := realReader(t)
	h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET})
	p := look(t, r, h.pid)
	before := ownDescriptors(t)
	for range 50 {
		d, err := r.diagOf(r.processes[h.pid])
		if err != nil {
			t.Fatal(err)
		}
		d.close()
	}
	if after := ownDescriptors(t); after != before {
		t.Errorf("%d descriptors, were %d", after, before)
	}
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(threads) == 0 {
		t.Fatal(threads, err)
	}
	for _, thread := range threads {
		link, err := os.Readlink(thread)
		if err == nil && bracketed([]byte(link)) == p.Namespaces.Net {
			t.Errorf("%s is %s", thread, link)
		}
	}
}
