package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

// open keeps sockets from the garbage collector, which would close them.
var open []io.Closer

// listen waits for peers on each address, TCP or, after "udp:", UDP. Nothing
// that arrives is answered.
func listen(addresses []string) error {
	if len(addresses) == 0 {
		return errors.New("give addresses such as 127.0.0.1:5432, :5432 or udp:[::]:161")
	}
	for _, address := range addresses {
		if err := listenOn(address); err != nil {
			return err
		}
	}
	return nil
}

func listenOn(address string) error {
	udp, isUDP := strings.CutPrefix(address, "udp:")
	if isUDP {
		socket, err := net.ListenPacket("udp"+family(udp), udp)
		open = append(open, socket)
		return err
	}
	listener, err := net.Listen("tcp"+family(address), address)
	if err != nil {
		return err
	}
	open = append(open, listener)
	go turnAway(listener)
	return nil
}

// family keeps 0.0.0.0 to IPv4 and [::] to IPv6; an address without a host
// takes both.
func family(address string) string {
	parsed, err := netip.ParseAddrPort(address)
	switch {
	case err != nil:
		return ""
	case parsed.Addr().Is4():
		return "4"
	}
	return "6"
}

// turnAway closes connections as they come.
func turnAway(listener net.Listener) {
	for {
		peer, err := listener.Accept()
		if err != nil {
			fmt.Println("listener ended:", err)
			return
		}
		peer.Close()
	}
}
