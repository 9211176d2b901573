package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// open keeps sockets from the garbage collector, which would close them.
var open []io.Closer

// listen waits for peers on each address, TCP or, after "udp:", UDP. Nothing
// that arrives is answered.
func listen(addresses []string) error {
	if len(addresses) == 0 {
		return errors.New("give addresses such as 127.0.0.1:5432 or udp:0.0.0.0:161")
	}
	for _, address := range addresses {
		if udp, ok := strings.CutPrefix(address, "udp:"); ok {
			socket, err := net.ListenPacket("udp", udp)
			if err != nil {
				return err
			}
			open = append(open, socket)
			continue
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		open = append(open, listener)
		go turnAway(listener)
	}
	return nil
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
