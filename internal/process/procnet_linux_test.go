package process

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// These tables are of a little-endian machine.
const (
	tcpTable = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
		"   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000    26        0 20021 1 0000000000000000 100 0 0 10 0\n" +
		"   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20003 1 0000000000000000 100 0 0 10 0\n" +
		"   2: 0500000A:0016 0600000A:C001 01 00000000:00000000 02:000A1B2C 00000000     0        0 20099 2 0000000000000000 20 4 30 10 -1\n"
	tcp6Table = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
		"   0: 00000000000000000000000001000000:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    26        0 20022 1 0000000000000000 100 0 0 10 0\n" +
		"   1: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20023 1 0000000000000000 100 0 0 10 0\n"
	udpTable = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n" +
		"  314: 0100007F:0143 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 20001 2 0000000000000000 0\n" +
		"  400: 0100007F:9999 0100007F:0035 01 00000000:00000000 00:00000000 00000000     0        0 20050 2 0000000000000000 0\n"
)

func littleEndian(t *testing.T) {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the tables are of a little-endian machine")
	}
}

func TestParseNet(t *testing.T) {
	littleEndian(t)
	cases := []struct {
		name, table string
		protocol    Protocol
		want        []string
	}{
		{"tcp", tcpTable, TCP, []string{"tcp 127.0.0.1:5432 20021", "tcp 0.0.0.0:22 20003"}},
		{"tcp6", tcp6Table, TCP, []string{"tcp [::1]:5432 20022", "tcp [2001:db8::1]:443 20023"}},
		{"udp", udpTable, UDP, []string{"udp 127.0.0.1:323 20001"}},
		{"tcp as udp", tcpTable, UDP, nil},
		{"empty", "", TCP, nil},
		{"cut", tcpTable[:130], TCP, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			if err := parseNet(strings.NewReader(c.table), c.protocol, func(s Socket) {
				got = append(got, s.Protocol.String()+" "+s.Addr.String()+" "+itoa(s.Inode))
			}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func itoa(n uint64) string { return string(appendDigits(nil, n)) }

func appendDigits(b []byte, n uint64) []byte {
	if n >= 10 {
		b = appendDigits(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

func TestParseHexAddr(t *testing.T) {
	littleEndian(t)
	cases := []struct {
		text, want string
		ok         bool
	}{
		{"0100007F:1F90", "127.0.0.1:8080", true},
		{"00000000:0016", "0.0.0.0:22", true},
		{"0500000A:FFFF", "10.0.0.5:65535", true},
		{"00000000000000000000000001000000:0050", "[::1]:80", true},
		{"0000000000000000FFFF00000100007F:0050", "[::ffff:127.0.0.1]:80", true},
		{"00000000:0000", "", false}, // no port
		{"00000000", "", false},
		{"0000000:0016", "", false},
		{"0000000G:0016", "", false},
		{"00000000:10000", "", false},
		{"00000000:-1", "", false},
		{"000000000000:0016", "", false},
		{"", "", false},
	}
	for _, c := range cases {
		got, ok := parseHexAddr([]byte(c.text))
		if ok != c.ok || ok && got != netip.MustParseAddrPort(c.want) {
			t.Errorf("parseHexAddr(%q) = %v, %v, want %s, %v", c.text, got, ok, c.want, c.ok)
		}
	}
}

func FuzzParseNet(f *testing.F) {
	f.Add([]byte(tcpTable), false)
	f.Add([]byte(tcp6Table), false)
	f.Add([]byte(udpTable), true)
	f.Fuzz(func(t *testing.T, table []byte, udp bool) {
		protocol := TCP
		if udp {
			protocol = UDP
		}
		_ = parseNet(strings.NewReader(string(table)), protocol, func(s Socket) {
			if !s.Addr.IsValid() || s.Addr.Port() == 0 || s.Protocol != protocol {
				t.Errorf("%+v", s)
			}
			_ = s.Scope()
		})
	})
}
