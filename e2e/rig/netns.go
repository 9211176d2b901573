//go:build e2e

package rig

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Client talks to servers in the machine as if from within.
func (m *Machine) Client(t testing.TB) *http.Client {
	t.Helper()
	network, err := os.Open("/proc/" + strconv.Itoa(m.leader) + "/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, kind, address string) (net.Conn, error) {
			return dialIn(ctx, network, kind, address)
		},
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		network.Close()
	})
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// dialIn connects from another network namespace. A socket stays in that in
// which it was made (network_namespaces(7)).
func dialIn(ctx context.Context, namespace *os.File, kind, address string) (net.Conn, error) {
	runtime.LockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	defer own.Close()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("enter the network of the machine: %w", err)
	}
	connection, dialErr := new(net.Dialer).DialContext(ctx, kind, address)
	if err := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); err != nil {
		panic(err) // the thread is lost, and programs would end with it
	}
	runtime.UnlockOSThread()
	return connection, dialErr
}
