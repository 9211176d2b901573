package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// bus is a way to reach systemd.
type bus struct {
	name string
	dial func(ctx context.Context) (net.Conn, error)
	// direct tells a connection to systemd itself, without a bus between.
	direct bool
}

// machineBuses are the ways in the order in which they are tried: for root the
// socket of systemd's own tools, which works without a D-Bus daemon and at
// half the cost, then the system bus, which is open to everybody.
func machineBuses(config Config) []bus {
	system := bus{name: "system bus", dial: dialUnix(config.path("/run/dbus/system_bus_socket"))}
	if os.Geteuid() != 0 {
		return []bus{system}
	}
	private := bus{name: "private socket", dial: dialUnix(config.path("/run/systemd/private")), direct: true}
	return []bus{private, system}
}

func dialUnix(path string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
}

// list returns all services that systemd has loaded, over the connection that
// is there or else a new one.
func (m *SystemdManager) list(ctx context.Context) ([]systemd.UnitStatus, error) {
	var errs []error
	ways := len(m.buses)
	if m.conn != nil && m.conn.Connected() {
		units, err := ask(ctx, ways+1, m.services)
		if err == nil {
			return units, nil
		}
		errs = append(errs, err)
	}
	for i, b := range m.buses {
		m.disconnect()
		units, err := ask(ctx, ways-i, func(ctx context.Context) ([]systemd.UnitStatus, error) {
			conn, err := connect(ctx, b)
			if err != nil {
				return nil, err
			}
			m.conn = conn
			return m.services(ctx)
		})
		if err == nil {
			return units, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
	}
	m.disconnect()
	return nil, errors.Join(errs...)
}

// ask gives a question its share of the time, so that one of several ways that
// hangs does not keep the others from being tried.
func ask(ctx context.Context, ways int, question func(context.Context) ([]systemd.UnitStatus, error)) ([]systemd.UnitStatus, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(ways))
		defer cancel()
	}
	return question(ctx)
}

func (m *SystemdManager) services(ctx context.Context) ([]systemd.UnitStatus, error) {
	units, err := m.conn.ListUnitsByPatternsContext(ctx, nil, []string{"*" + unitSuffix})
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	return units, nil
}

func (m *SystemdManager) disconnect() {
	if m.conn != nil {
		m.conn.Close()
		m.conn = nil
	}
}

// connect opens a connection that outlives ctx. Until it stands, the end of ctx
// ends it: go-systemd cannot be told to give up otherwise.
func connect(ctx context.Context, b bus) (*systemd.Conn, error) {
	life, end := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, end)
	conn, err := systemd.NewConnection(func() (*dbus.Conn, error) { return b.open(ctx, life) })
	if ended := !stop(); ended && err == nil {
		conn.Close()
		err = context.Cause(ctx)
	} else if ended {
		err = context.Cause(ctx) // and not what that led to
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// open makes one connection and introduces it, as whom the kernel says we are.
func (b bus) open(ctx, life context.Context) (*dbus.Conn, error) {
	socket, err := b.dial(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := dbus.NewConn(buffered{bufio.NewReader(socket), socket, socket},
		dbus.WithContext(life), dbus.WithSignalHandler(new(noSignals)))
	if err != nil {
		socket.Close()
		return nil, err
	}
	err = conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))})
	if err == nil && !b.direct {
		err = conn.Hello()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// buffered spares most of the system calls of a decoder that reads a message
// word by word.
type buffered struct {
	io.Reader
	io.Writer
	io.Closer
}
