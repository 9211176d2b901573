package process

import (
	"net/netip"
	"slices"
	"testing"
)

func TestScope(t *testing.T) {
	cases := []struct {
		addr    string
		foreign bool
		want    Scope
	}{
		{"127.0.0.1", false, Loopback},
		{"127.255.0.9", false, Loopback},
		{"::1", false, Loopback},
		{"::ffff:127.0.0.1", false, Loopback},
		{"127.0.0.1", true, Loopback},
		{"0.0.0.0", false, Public},
		{"::", false, Public},
		{"::ffff:0.0.0.0", false, Public},
		{"0.0.0.0", true, Private},
		{"::", true, Private},
		{"10.1.2.3", false, Private},
		{"172.16.0.1", false, Private},
		{"172.32.0.1", false, Public},
		{"192.168.1.1", false, Private},
		{"::ffff:192.168.1.1", false, Private},
		{"100.64.0.1", false, Private},
		{"100.128.0.1", false, Public},
		{"169.254.1.1", false, Private},
		{"fe80::1", false, Private},
		{"fc00::1", false, Private},
		{"224.0.0.251", false, Private},
		{"ff02::fb", false, Private},
		{"239.255.255.250", false, Public},
		{"203.0.113.1", false, Public},
		{"203.0.113.1", true, Private},
		{"2001:db8::1", false, Public},
		{"::ffff:203.0.113.1", false, Public},
	}
	for _, c := range cases {
		s := Socket{Addr: netip.AddrPortFrom(netip.MustParseAddr(c.addr), 80), Foreign: c.foreign}
		if got := s.Scope(); got != c.want {
			t.Errorf("%s, foreign %v: %v, want %v", c.addr, c.foreign, got, c.want)
		}
	}
}

func TestSocketOrder(t *testing.T) {
	socket := func(protocol Protocol, addr string, inode uint64) Socket {
		return Socket{Protocol: protocol, Addr: netip.MustParseAddrPort(addr), Inode: inode}
	}
	want := []Socket{
		socket(TCP, "0.0.0.0:22", 9), socket(TCP, "127.0.0.1:80", 2), socket(TCP, "127.0.0.1:80", 3), socket(TCP, "[::]:80", 1), socket(UDP, "0.0.0.0:80", 4), socket(TCP, "0.0.0.0:443", 1),
	}
	got := []Socket{want[5], want[3], want[4], want[2], want[0], want[1]}
	slices.SortFunc(got, compareSockets)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestLabelValues(t *testing.T) {
	for got, want := range map[string]string{
		TCP.String(): "tcp", UDP.String(): "udp", Loopback.String(): "loopback", Private.String(): "private", Public.String(): "public",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
