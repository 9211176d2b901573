package process

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

func TestSocketRows(t *testing.T) {
	v4 := socketTables[0].layout
	text := make([]byte, 4+2*v4.size)
	binary.LittleEndian.PutUint32(text, 5) // says more than there is
	row := text[4+v4.size:]
	copy(row[v4.addr:], []byte{127, 0, 0, 1})
	binary.BigEndian.PutUint16(row[v4.port:], 135)
	binary.LittleEndian.PutUint32(row[v4.pid:], 880)
	rows := 0
	v4.parse(text, func(pid int, addr netip.AddrPort) {
		if rows++; rows == 2 && (pid != 880 || addr != netip.MustParseAddrPort("127.0.0.1:135")) {
			t.Errorf("%d %v", pid, addr)
		}
	})
	if rows != 2 {
		t.Errorf("%d rows", rows)
	}
}

func FuzzSocketRows(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0}, 0)
	f.Add(make([]byte, 200), 1)
	f.Fuzz(func(_ *testing.T, text []byte, table int) {
		socketTables[uint(table)%4].layout.parse(text, func(int, netip.AddrPort) {})
	})
}
