package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
)

// printLink prints the address of the console with the token of this run, where
// that is wanted. The token is in the fragment, which browsers send to nobody.
func (o *operator) printLink(w io.Writer, flags *operatorConfig) error {
	if o.secret == "" {
		return nil
	}
	scheme := "http"
	if flags.secure {
		scheme = "https"
	}
	_, err := fmt.Fprintf(w, "Console: %s://%s/#token=%s\n", scheme, reachable(o.listeners[0].Addr()), o.secret)
	return err
}

// reachable is an address by which this machine reaches a listener.
func reachable(addr net.Addr) string {
	bound, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if bound.Addr().IsUnspecified() {
		return net.JoinHostPort("localhost", fmt.Sprint(bound.Port()))
	}
	return bound.String()
}
