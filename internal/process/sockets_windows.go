package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	iphlpapi            = windows.NewLazySystemDLL("iphlpapi.dll")
	getExtendedTCPTable = iphlpapi.NewProc("GetExtendedTcpTable")
	getExtendedUDPTable = iphlpapi.NewProc("GetExtendedUdpTable")
)

// The classes of tables that are asked for: TCP_TABLE_OWNER_PID_LISTENER holds
// only those sockets that wait for peers, however many connections there are.
const (
	tcpTableOwnerPIDListener = 3
	udpTableOwnerPID         = 1
)

// socketTable is one of the four tables of sockets with their owners. Each
// begins with the number of its rows.
type socketTable struct {
	proc     *windows.LazyProc
	class    uintptr
	family   uintptr
	protocol Protocol
	layout   rowLayout
}

// rowLayout says where in a row what stands: MIB_TCPROW_OWNER_PID and its
// likes. Ports are in the order of the network, in the first two bytes of four.
type rowLayout struct {
	size, addr, port, pid int
	wide                  bool // an address of 16 bytes
}

var socketTables = []socketTable{
	{getExtendedTCPTable, tcpTableOwnerPIDListener, windows.AF_INET, TCP, rowLayout{size: 24, addr: 4, port: 8, pid: 20}},
	{getExtendedTCPTable, tcpTableOwnerPIDListener, windows.AF_INET6, TCP, rowLayout{size: 56, addr: 0, port: 20, pid: 52, wide: true}},
	{getExtendedUDPTable, udpTableOwnerPID, windows.AF_INET, UDP, rowLayout{size: 12, addr: 0, port: 4, pid: 8}},
	{getExtendedUDPTable, udpTableOwnerPID, windows.AF_INET6, UDP, rowLayout{size: 28, addr: 0, port: 20, pid: 24, wide: true}},
}

// tables reads all sockets that wait for peers, by the pid of their owner, into
// the buffer, which is made larger where it does not do.
type tables struct{ buffer []byte }

// read lists the sockets of each process in their order. A table that cannot be
// read is an error; IPv6 may be switched off.
func (t *tables) read() (map[int][]Socket, error) {
	sockets := make(map[int][]Socket)
	for i := range socketTables {
		table := &socketTables[i]
		text, err := t.fetch(table)
		if err != nil && table.layout.wide {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list %s sockets: %w", table.protocol, err)
		}
		table.layout.parse(text, func(pid int, addr netip.AddrPort) {
			s := Socket{Protocol: table.protocol, Addr: addr}
			if addr.Port() != 0 && !slices.Contains(sockets[pid], s) {
				sockets[pid] = append(sockets[pid], s)
			}
		})
	}
	for _, list := range sockets {
		slices.SortFunc(list, compareSockets)
	}
	return sockets, nil
}

// fetch reads one table.
func (t *tables) fetch(table *socketTable) ([]byte, error) {
	if err := table.proc.Find(); err != nil {
		return nil, err
	}
	for {
		if t.buffer == nil {
			t.buffer = make([]byte, 32<<10)
		}
		size := uint32(len(t.buffer))
		result, _, _ := table.proc.Call(uintptr(unsafe.Pointer(&t.buffer[0])), uintptr(unsafe.Pointer(&size)), 0,
			table.family, table.class, 0)
		switch err := windows.Errno(result); {
		case result == 0:
			return t.buffer, nil
		case !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) || size > 1<<28:
			return nil, err
		}
		t.buffer = make([]byte, max(int(size), len(t.buffer))+8<<10)
	}
}

// parse calls found for each row of a table, no further than the text goes.
func (l *rowLayout) parse(text []byte, found func(pid int, addr netip.AddrPort)) {
	if len(text) < 4 {
		return
	}
	count := binary.LittleEndian.Uint32(text)
	for row := text[4:]; count > 0 && len(row) >= l.size; count-- {
		addr := netip.AddrFrom4([4]byte(row[l.addr : l.addr+4]))
		if l.wide {
			addr = netip.AddrFrom16([16]byte(row[l.addr : l.addr+16]))
		}
		port := binary.BigEndian.Uint16(row[l.port:])
		found(int(binary.LittleEndian.Uint32(row[l.pid:])), netip.AddrPortFrom(addr, port))
		row = row[l.size:]
	}
}
