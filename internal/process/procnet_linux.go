package process

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"strconv"
)

// netFiles are the tables of /proc/PID/net that hold what sock_diag(7) tells of
// our own network namespace.
var netFiles = [...]struct {
	name     string
	protocol Protocol
}{{"net/tcp", TCP}, {"net/tcp6", TCP}, {"net/udp", UDP}, {"net/udp6", UDP}}

// parseNet reads one table and calls found for each listening TCP or
// unconnected UDP socket (proc_net(5), Documentation/networking/proc_net_tcp.rst). Lines
// of another form are passed over.
func parseNet(table io.Reader, protocol Protocol, found func(Socket)) error {
	state := []byte("0A")
	if protocol == UDP {
		state = []byte("07")
	}
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode
		var fields [10][]byte
		rest := lines.Bytes()
		n := 0
		for ; n < len(fields); n++ {
			rest = bytes.TrimLeft(rest, " ")
			if len(rest) == 0 {
				break
			}
			end := bytes.IndexByte(rest, ' ')
			if end < 0 {
				end = len(rest)
			}
			fields[n], rest = rest[:end], rest[end:]
		}
		if n < len(fields) || !bytes.Equal(fields[3], state) {
			continue
		}
		addr, ok := parseHexAddr(fields[1])
		inode, err := strconv.ParseUint(string(fields[9]), 10, 64)
		if ok && err == nil {
			found(Socket{Protocol: protocol, Addr: addr, Inode: inode})
		}
	}
	return lines.Err()
}

// parseHexAddr reads "0100007F:1F90": words of 32 bits in the machine's byte order,
// a colon, the port.
func parseHexAddr(text []byte) (netip.AddrPort, bool) {
	host, portText, _ := bytes.Cut(text, []byte(":"))
	port, err := strconv.ParseUint(string(portText), 16, 16)
	if err != nil || len(host) != 8 && len(host) != 32 {
		return netip.AddrPort{}, false
	}
	var raw [16]byte
	n, err := hex.Decode(raw[:], host)
	if err != nil {
		return netip.AddrPort{}, false
	}
	for i := 0; i < n; i += 4 { // the number was printed from memory as it is
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, _ := netip.AddrFromSlice(raw[:n])
	return netip.AddrPortFrom(addr, uint16(port)), port != 0
}
