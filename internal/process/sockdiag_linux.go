package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// The kernel's numbers for sock_diag(7), from linux/include/uapi/linux:
// sock_diag.h, inet_diag.h, netlink.h, and net/tcp_states.h.
const (
	sockDiagByFamily = 20
	stateListen      = 10 // TCP_LISTEN
	stateClose       = 7  // TCP_CLOSE: for UDP, bound without a peer
	diagRequestSize  = 16 + 56
	diagMessageSize  = 72
)

// errInterrupted says that sockets changed while the kernel listed them.
var errInterrupted = errors.New("sock_diag: list interrupted")

// diag asks the kernel for the sockets of the network namespace in which it was
// made.
type diag struct {
	fd     int
	buffer []byte
}

func newDiag(buffer []byte) (*diag, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	return &diag{fd: fd, buffer: buffer}, nil
}

func (d *diag) close() { unix.Close(d.fd) }

// list calls found for each listening TCP or unconnected UDP socket. The
// list is complete only where it returns nil.
func (d *diag) list(found func(Socket)) error {
	for _, family := range [...]byte{unix.AF_INET, unix.AF_INET6} {
		for _, protocol := range [...]Protocol{TCP, UDP} {
			err := d.dump(family, protocol, found)
			if errors.Is(err, errInterrupted) {
				err = d.dump(family, protocol, found) // what is found twice is taken once
			}
			if err != nil && !errors.Is(err, errInterrupted) {
				return err
			}
		}
	}
	return nil
}

// dump lists the sockets of one family and protocol.
func (d *diag) dump(family byte, protocol Protocol, found func(Socket)) error {
	var request [diagRequestSize]byte
	native := binary.NativeEndian
	native.PutUint32(request[0:], diagRequestSize)
	native.PutUint16(request[4:], sockDiagByFamily)
	native.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	request[16] = family
	if protocol == TCP {
		request[17] = unix.IPPROTO_TCP
		native.PutUint32(request[20:], 1<<stateListen)
	} else {
		request[17] = unix.IPPROTO_UDP
		native.PutUint32(request[20:], 1<<stateClose)
	}
	if err := unix.Sendto(d.fd, request[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("sock_diag: %w", err)
	}
	interrupted := false
	for {
		n, err := unix.Read(d.fd, d.buffer)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("sock_diag: %w", err)
		}
		done, err := parseDiag(d.buffer[:n], protocol, &interrupted, found)
		if err != nil {
			return err
		}
		if done && interrupted {
			return errInterrupted
		}
		if done {
			return nil
		}
	}
}

// parseDiag reads one datagram of answers and tells whether it is the last.
func parseDiag(messages []byte, protocol Protocol, interrupted *bool, found func(Socket)) (done bool, err error) {
	native := binary.NativeEndian
	for len(messages) >= 16 {
		length := int(native.Uint32(messages))
		kind, flags := native.Uint16(messages[4:]), native.Uint16(messages[6:])
		if length < 16 || length > len(messages) {
			return true, errors.New("sock_diag: message of a wrong length")
		}
		body := messages[16:length]
		*interrupted = *interrupted || flags&unix.NLM_F_DUMP_INTR != 0
		switch {
		case kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR:
			// Both carry a negative errno: a kernel without the module for a
			// protocol ends the list at once, with -ENOENT.
			if len(body) < 4 {
				return true, errors.New("sock_diag: end without a result")
			}
			if result := int32(native.Uint32(body)); result < 0 {
				return true, fmt.Errorf("sock_diag: %w", unix.Errno(-result))
			}
			return true, nil
		case kind == sockDiagByFamily && len(body) >= diagMessageSize:
			if s, ok := parseDiagMessage(body, protocol); ok {
				found(s)
			}
		}
		messages = messages[min((length+3)&^3, len(messages)):]
	}
	return false, nil
}

// parseDiagMessage reads a struct inet_diag_msg: family at 0, source port at 4,
// source address at 8, inode at 68.
func parseDiagMessage(body []byte, protocol Protocol) (Socket, bool) {
	port := binary.BigEndian.Uint16(body[4:])
	var addr netip.Addr
	switch body[0] {
	case unix.AF_INET:
		addr = netip.AddrFrom4([4]byte(body[8:12]))
	case unix.AF_INET6:
		addr = netip.AddrFrom16([16]byte(body[8:24]))
	default:
		return Socket{}, false
	}
	inode := binary.NativeEndian.Uint32(body[68:])
	return Socket{Protocol: protocol, Addr: netip.AddrPortFrom(addr, port), Inode: uint64(inode)}, port != 0
}
