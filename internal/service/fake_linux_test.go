package service

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// fakeSystemd speaks D-Bus at a socket as systemd and its bus do.
type fakeSystemd struct {
	t      *testing.T
	socket string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	units    map[string]fakeUnit
	aliases  map[string]string
	calls    map[string]int  // by member, for Get by property
	asked    map[string]bool // units whose properties were read
	silent   map[string]bool // members, and properties, that get no answer
	refused  map[string]bool // those that get an error
	cut      map[string]bool // those at which the connection is closed
	cutOnce  bool            // the next call closes the connection
	reject   bool            // nobody is let in
	serving  sync.WaitGroup
}

// fakeUnit is a unit and its properties.
type fakeUnit struct {
	systemd.UnitStatus
	properties map[string]any
	onDisk     bool // not loaded before it is asked for by name
}

// fakeOf makes a unit from its states, "loaded active running".
func fakeOf(id, states string, properties map[string]any) fakeUnit {
	words := strings.Fields(states)
	return fakeUnit{properties: properties, UnitStatus: systemd.UnitStatus{
		Name: id, Description: "the " + id, LoadState: words[0], ActiveState: words[1], SubState: words[2],
		Path: dbus.ObjectPath("/org/freedesktop/systemd1/unit/" + systemd.PathBusEscape(id)), JobPath: "/",
	}}
}

// absentUnit is what systemd says of a unit that does not exist.
func absentUnit(id string) fakeUnit {
	u := fakeOf(id, "not-found inactive dead", nil)
	u.Description = id
	return u
}

// running are the properties of a service that runs; n makes them differ.
func running(n uint64) map[string]any {
	return map[string]any{
		"ActiveEnterTimestamp": 1_700_000_000_250_000 + n,
		"MainPID":              uint32(1000 + n),
		"NRestarts":            uint32(n),
		"MemoryCurrent":        n << 20,
		"CPUUsageNSec":         n * 1_500_000_000,
		"TasksCurrent":         n,
	}
}

// newFakeSystemd starts one. It ends with the test.
func newFakeSystemd(t *testing.T, units ...fakeUnit) *fakeSystemd {
	t.Helper()
	f := &fakeSystemd{
		t: t, socket: filepath.Join(t.TempDir(), "bus"),
		open: map[net.Conn]bool{}, units: map[string]fakeUnit{}, aliases: map[string]string{},
		calls: map[string]int{}, asked: map[string]bool{},
		silent: map[string]bool{}, refused: map[string]bool{}, cut: map[string]bool{},
	}
	for _, u := range units {
		f.units[u.Name] = u
	}
	f.start()
	t.Cleanup(f.stop)
	return f
}

// start listens, at the same place as before.
func (f *fakeSystemd) start() {
	f.t.Helper()
	listener, err := net.Listen("unix", f.socket)
	if err != nil {
		f.t.Fatal(err)
	}
	f.with(func() { f.listener = listener })
	f.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			f.with(func() { f.open[conn] = true })
			f.serving.Go(func() { f.serve(conn) })
		}
	})
}

// stop goes away as a bus that is stopped: nobody listens any more, and every
// connection is closed.
func (f *fakeSystemd) stop() {
	f.with(func() {
		f.listener.Close()
		for conn := range f.open {
			conn.Close()
		}
	})
	f.serving.Wait()
}

// with changes or reads what the fake knows.
func (f *fakeSystemd) with(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// bus is the way to the fake.
func (f *fakeSystemd) bus() bus { return bus{name: "fake bus", dial: dialUnix(f.socket)} }

// manager asks the fake. It is closed with the test.
func (f *fakeSystemd) manager(config Config) *SystemdManager {
	m := newSystemd(config, f.bus())
	f.t.Cleanup(func() { m.Close() })
	return m
}

func (f *fakeSystemd) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		f.with(func() { delete(f.open, conn) })
	}()
	in := bufio.NewReader(conn)
	if !f.introduce(in, conn) {
		return
	}
	for {
		call, err := dbus.DecodeMessage(in)
		if err != nil {
			return
		}
		reply, answered := f.reply(call)
		if !answered {
			return
		}
		if reply == nil {
			continue
		}
		if err := reply.EncodeTo(conn, binary.LittleEndian); err != nil {
			return
		}
	}
}

// introduce is the server's side of the authentication protocol.
func (f *fakeSystemd) introduce(in *bufio.Reader, out io.Writer) bool {
	if zero, err := in.ReadByte(); err != nil || zero != 0 {
		return false
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		var reject bool
		f.with(func() { reject = f.reject })
		switch words := append(strings.Fields(line), ""); {
		case words[0] == "BEGIN":
			return true
		case words[0] == "AUTH" && words[1] == "EXTERNAL" && !reject:
			fmt.Fprint(out, "DATA\r\n")
		case words[0] == "DATA": // as whom the kernel says
			fmt.Fprint(out, "OK 0123456789abcdef0123456789abcdef\r\n")
		default:
			fmt.Fprint(out, "REJECTED EXTERNAL\r\n")
		}
	}
}

// reply answers a call. No message means silence; answered is false where the
// connection is to be closed.
func (f *fakeSystemd) reply(call *dbus.Message) (reply *dbus.Message, answered bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	member := call.Headers[dbus.FieldMember].Value().(string)
	what := member
	if member == "Get" {
		what = call.Body[1].(string)
	}
	f.calls[what]++
	switch {
	case f.cutOnce:
		f.cutOnce = false
		return nil, false
	case f.cut[what]:
		return nil, false
	case f.silent[what]:
		return nil, true
	case f.refused[what]:
		return failure(call, "org.freedesktop.DBus.Error.AccessDenied", "refused \x1b[31m"), true
	}
	switch member {
	case "Hello":
		return answerTo(call, ":1.7"), true
	case "AddMatch":
		return answerTo(call), true
	case "ListUnitsByPatterns":
		return answerTo(call, f.loaded(call.Body[1].([]string))), true
	case "ListUnitsByNames":
		return f.byName(call), true
	case "Get":
		return f.property(call, what), true
	}
	return failure(call, "org.freedesktop.DBus.Error.UnknownMethod", member), true
}

func (f *fakeSystemd) loaded(patterns []string) []systemd.UnitStatus {
	statuses := []systemd.UnitStatus{}
	for _, id := range slices.Sorted(maps.Keys(f.units)) {
		if match, _ := filepath.Match(patterns[0], id); match && !f.units[id].onDisk {
			statuses = append(statuses, f.units[id].UnitStatus)
		}
	}
	return statuses
}

// byName resolves aliases, describes what does not exist, and, as systemd does,
// fails altogether for one name that cannot be a unit.
func (f *fakeSystemd) byName(call *dbus.Message) *dbus.Message {
	statuses := []systemd.UnitStatus{}
	for _, name := range call.Body[0].([]string) {
		if !strings.HasSuffix(name, ".service") || strings.ContainsAny(name, " /\n") || strings.Contains(name, "@.") {
			return failure(call, "org.freedesktop.DBus.Error.InvalidArgs", "bad name "+name)
		}
		if id, ok := f.aliases[name]; ok {
			name = id
		}
		u, ok := f.units[name]
		if !ok {
			u = absentUnit(name)
		}
		statuses = append(statuses, u.UnitStatus)
	}
	return answerTo(call, statuses)
}

func (f *fakeSystemd) property(call *dbus.Message, name string) *dbus.Message {
	path := call.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	for id, u := range f.units {
		if u.Path != path {
			continue
		}
		f.asked[id] = true
		if value, ok := u.properties[name]; ok {
			return answerTo(call, dbus.MakeVariant(value))
		}
	}
	return failure(call, "org.freedesktop.DBus.Error.UnknownProperty", name)
}

// answerTo makes the message that answers a call.
func answerTo(call *dbus.Message, body ...any) *dbus.Message {
	return message(call, dbus.TypeMethodReply, body)
}

// failure makes the message that a call failed.
func failure(call *dbus.Message, name, text string) *dbus.Message {
	m := message(call, dbus.TypeError, []any{text})
	m.Headers[dbus.FieldErrorName] = dbus.MakeVariant(name)
	return m
}

func message(call *dbus.Message, kind dbus.Type, body []any) *dbus.Message {
	m := &dbus.Message{Type: kind, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(call.Serial()),
		dbus.FieldSender:      dbus.MakeVariant("org.freedesktop.systemd1"),
	}}
	if len(body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
	}
	return m
}
