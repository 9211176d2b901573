package process

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// diagMessage makes a netlink message with a struct inet_diag_msg.
func diagMessage(family byte, addr string, inode uint32, flags uint16) []byte {
	b := make([]byte, 16+diagMessageSize)
	native := binary.NativeEndian
	native.PutUint32(b[0:], uint32(len(b)))
	native.PutUint16(b[4:], sockDiagByFamily)
	native.PutUint16(b[6:], unix.NLM_F_MULTI|flags)
	at := netip.MustParseAddrPort(addr)
	body := b[16:]
	body[0] = family
	binary.BigEndian.PutUint16(body[4:], at.Port())
	copy(body[8:], at.Addr().AsSlice())
	native.PutUint32(body[68:], inode)
	return b
}

// diagEnd makes the message that ends a list.
func diagEnd(kind uint16, result int32) []byte {
	b := make([]byte, 20)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint32(b[16:], uint32(result))
	return b
}

func TestParseDiag(t *testing.T) {
	v4 := diagMessage(unix.AF_INET, "127.0.0.1:5432", 7, 0)
	v6 := diagMessage(unix.AF_INET6, "[2001:db8::1]:443", 8, 0)
	mapped := diagMessage(unix.AF_INET6, "[::ffff:10.0.0.1]:80", 9, 0)
	one, two, three := "127.0.0.1:5432 7", "[2001:db8::1]:443 8", "[::ffff:10.0.0.1]:80 9"
	longer := append(append([]byte(nil), v4...), make([]byte, 8)...) // with an attribute behind
	binary.NativeEndian.PutUint32(longer, uint32(len(longer)))
	wrong := append([]byte(nil), v4...)
	binary.NativeEndian.PutUint32(wrong, 4)
	beyond := append([]byte(nil), v4...)
	binary.NativeEndian.PutUint32(beyond, 4096)
	cases := []struct {
		name      string
		messages  [][]byte
		want      []string
		done, bad bool
	}{
		{"several", [][]byte{v4, v6, mapped}, []string{one, two, three}, false, false},
		{"the last", [][]byte{v4, diagEnd(unix.NLMSG_DONE, 0)}, []string{one}, true, false},
		{"an attribute", [][]byte{longer, v6}, []string{one, two}, false, false},
		{"an error", [][]byte{diagEnd(unix.NLMSG_ERROR, -int32(unix.ENOENT))}, nil, true, true},
		{"a bad end", [][]byte{diagEnd(unix.NLMSG_DONE, -int32(unix.ENOENT))}, nil, true, true},
		{"an end without a result", [][]byte{diagEnd(unix.NLMSG_DONE, 0)[:16]}, nil, true, true},
		{"too short", [][]byte{wrong}, nil, true, true},
		{"too long", [][]byte{beyond}, nil, true, true},
		{"another family", [][]byte{diagMessage(unix.AF_UNIX, "1.2.3.4:5", 6, 0), v6}, []string{two}, false, false},
		{"no port", [][]byte{diagMessage(unix.AF_INET, "0.0.0.0:0", 6, 0)}, nil, false, false},
		{"nothing", nil, nil, false, false},
		{"half a header", [][]byte{v4[:8]}, nil, false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			var interrupted bool
			messages := slices.Concat(c.messages...)
			if c.name == "an end without a result" {
				binary.NativeEndian.PutUint32(messages, 16)
			}
			done, err := parseDiag(messages, TCP, &interrupted, func(s Socket) { got = append(got, s.Addr.String()+" "+itoa(s.Inode)) })
			if !slices.Equal(got, c.want) || done != c.done || (err != nil) != c.bad || interrupted {
				t.Errorf("%q, done %v, %v, interrupted %v", got, done, err, interrupted)
			}
		})
	}
}

func TestParseDiagKeepsTheCause(t *testing.T) {
	var interrupted bool
	_, err := parseDiag(diagEnd(unix.NLMSG_ERROR, -int32(unix.EPERM)), TCP, &interrupted, func(Socket) {})
	if !errors.Is(err, unix.EPERM) {
		t.Errorf("%v, want %v", err, unix.EPERM)
	}
}

func TestParseDiagTellsInterruption(t *testing.T) {
	var interrupted bool
	_, err := parseDiag(diagMessage(unix.AF_INET, "127.0.0.1:80", 1, unix.NLM_F_DUMP_INTR), TCP, &interrupted, func(Socket) {})
	if err != nil || !interrupted {
		t.Errorf("interrupted %v, %v", interrupted, err)
	}
}

// TestDiagAndTablesAgree asks the kernel both ways for what this test opens.
func TestDiagAndTablesAgree(t *testing.T) {
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	d, err := newDiag(make([]byte, 32<<10))
	if err != nil {
		t.Skip(err)
	}
	defer d.close()
	byDiag, byTable := map[string]uint64{}, map[string]uint64{}
	if err := d.list(func(s Socket) { byDiag[s.Protocol.String()+s.Addr.String()] = s.Inode }); err != nil {
		t.Skip(err)
	}
	r := realReader(t)
	if !r.listNet(newTracked("self"), func(s Socket) { byTable[s.Protocol.String()+s.Addr.String()] = s.Inode }) {
		t.Fatal("no tables")
	}
	for _, key := range []string{"tcp" + tcp.Addr().String(), "udp" + udp.LocalAddr().String()} {
		if byDiag[key] == 0 || byDiag[key] != byTable[key] {
			t.Errorf("%s: inode %d by sock_diag, %d in the table", key, byDiag[key], byTable[key])
		}
	}
}

func FuzzParseDiag(f *testing.F) {
	f.Add(slices.Concat(diagMessage(unix.AF_INET, "127.0.0.1:80", 1, 0), diagEnd(unix.NLMSG_DONE, 0)))
	f.Add(diagMessage(unix.AF_INET6, "[::1]:80", 1, unix.NLM_F_DUMP_INTR))
	f.Add(diagEnd(unix.NLMSG_ERROR, -1<<31))
	f.Fuzz(func(t *testing.T, messages []byte) {
		var interrupted bool
		_, _ = parseDiag(messages, UDP, &interrupted, func(s Socket) {
			if s.Addr.Port() == 0 || !s.Addr.IsValid() {
				t.Errorf("%+v", s)
			}
		})
	})
}
