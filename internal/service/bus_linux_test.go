package service

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// short is a timeout for what never answers; longer than it takes to answer.
const short = 300 * time.Millisecond

func someUnits() []fakeUnit {
	return []fakeUnit{
		fakeOf("a.service", "loaded active running", running(1)),
		fakeOf("b.service", "loaded failed failed", nil),
	}
}

// wantAway fails unless the manager says in time that it cannot ask.
func wantAway(t *testing.T, m *SystemdManager) error {
	t.Helper()
	begin := time.Now()
	services, err := m.Services(t.Context())
	if err == nil || services != nil {
		t.Errorf("%v, error %v", services, err)
	}
	if took := time.Since(begin); took > m.config.timeout()+time.Second {
		t.Errorf("took %v", took)
	}
	return err
}

// wantStates fails unless the manager answers with the states of [someUnits].
func wantStates(t *testing.T, m *SystemdManager) map[string]Service {
	t.Helper()
	services := asked(t, m)
	if diff := cmp.Diff(map[string]State{"a": Active, "b": Failed}, states(services)); diff != "" {
		t.Error(diff)
	}
	return services
}

func TestSystemdThatIsNotThere(t *testing.T) {
	m := newSystemd(Config{}, bus{name: "no bus", dial: dialUnix(filepath.Join(t.TempDir(), "none"))})
	wantAway(t, m)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// Whatever step the bus refuses, the manager says so, and goes on once the bus
// has thought better of it.
func TestSystemdRefuses(t *testing.T) {
	t.Run("everybody", func(t *testing.T) {
		f := newFakeSystemd(t, someUnits()...)
		m := f.manager(Config{})
		f.with(func() { f.reject = true })
		wantAway(t, m)
		f.with(func() { f.reject = false })
		wantStates(t, m)
	})
	for _, step := range []string{"Hello", "ListUnitsByPatterns"} {
		t.Run(step, func(t *testing.T) {
			f := newFakeSystemd(t, someUnits()...)
			m := f.manager(Config{})
			f.with(func() { f.refused[step] = true })
			if err := wantAway(t, m); !refused(err) {
				t.Errorf("%v is no refusal", err)
			}
			f.with(func() { clear(f.refused) })
			wantStates(t, m)
		})
	}
}

// Whatever step the bus hangs at, the manager gives up in time.
func TestSystemdHangs(t *testing.T) {
	for _, step := range []string{"Hello", "AddMatch", "ListUnitsByPatterns"} {
		t.Run(step, func(t *testing.T) {
			f := newFakeSystemd(t, someUnits()...)
			m := f.manager(Config{Timeout: short})
			f.with(func() { f.silent[step] = true })
			if err := wantAway(t, m); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			f.with(func() { clear(f.silent) })
			wantStates(t, m)
		})
	}
}

// A socket that takes connections and says nothing at all.
func TestSystemdHangsBeforeAuthentication(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "bus")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	wantAway(t, newSystemd(Config{Timeout: short}, bus{name: "mute bus", dial: dialUnix(socket)}))
}

// Properties that do not come cost neither the states nor the next answer.
func TestSystemdHangsAtProperties(t *testing.T) {
	f := newFakeSystemd(t, someUnits()...)
	m := f.manager(Config{Timeout: short})
	f.with(func() { f.silent["MainPID"] = true })
	if s := wantStates(t, m)["a"]; s.MainPID != 0 || s.Since.IsZero() {
		t.Errorf("%+v", s)
	}
	f.with(func() { clear(f.silent) })
	if s := wantStates(t, m)["a"]; s.MainPID != 1001 {
		t.Errorf("%+v", s)
	}
}

func TestSystemdRefusesProperties(t *testing.T) {
	f := newFakeSystemd(t, someUnits()...)
	f.with(func() { f.refused["MainPID"] = true })
	if s := wantStates(t, f.manager(Config{}))["a"]; s.MainPID != 0 || s.Tasks == nil || *s.Tasks != 1 {
		t.Errorf("%+v", s)
	}
}

// It is not known of a service that it is absent where systemd did not say so.
func TestSystemdDoesNotTellConfigured(t *testing.T) {
	for _, how := range []string{"refused", "silent", "cut"} {
		t.Run(how, func(t *testing.T) {
			f := newFakeSystemd(t, someUnits()...)
			m := f.manager(Config{Timeout: short, Configured: []string{"a", "x", "y"}})
			f.with(func() {
				map[string]map[string]bool{"refused": f.refused, "silent": f.silent, "cut": f.cut}[how]["ListUnitsByNames"] = true
			})
			want := map[string]State{"a": Active, "b": Failed, "x": Unsupported, "y": Unsupported}
			if diff := cmp.Diff(want, states(asked(t, m))); diff != "" {
				t.Error(diff)
			}
			f.with(func() { clear(f.refused); clear(f.silent); clear(f.cut) })
			want = map[string]State{"a": Active, "b": Failed, "x": NotFound, "y": NotFound}
			if diff := cmp.Diff(want, states(asked(t, m))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSystemdReconnects(t *testing.T) {
	f := newFakeSystemd(t, someUnits()...)
	m := f.manager(Config{})
	wantStates(t, m)
	for range 3 {
		f.stop()
		f.start() // restarted between two questions
		wantStates(t, m)
	}
	f.stop()
	wantAway(t, m)
	f.start()
	wantStates(t, m)
}

// The bus closes the connection at a question; the answer comes over a new one.
func TestSystemdReconnectsAtOnce(t *testing.T) {
	f := newFakeSystemd(t, someUnits()...)
	m := f.manager(Config{})
	wantStates(t, m)
	f.with(func() { f.cutOnce = true })
	wantStates(t, m)
}

func TestSystemdTriesEveryBus(t *testing.T) {
	hanging, answering := newFakeSystemd(t), newFakeSystemd(t, someUnits()...)
	hanging.silent["ListUnitsByPatterns"] = true
	m := newSystemd(Config{Timeout: 2 * short}, hanging.bus(), answering.bus())
	defer m.Close()
	wantStates(t, m)
	hanging.stop()
	wantStates(t, m)
}

// systemd's private socket knows no Hello.
func TestSystemdDirectly(t *testing.T) {
	f := newFakeSystemd(t, someUnits()...)
	f.refused["Hello"] = true
	f.refused["AddMatch"] = true
	b := f.bus()
	b.direct = true
	m := newSystemd(Config{}, b)
	defer m.Close()
	wantStates(t, m)
}

func TestSystemdHonoursContext(t *testing.T) {
	f := newFakeSystemd(t, someUnits()...)
	f.silent["ListUnitsByPatterns"] = true
	m := f.manager(Config{Timeout: time.Minute})
	var waiting sync.WaitGroup
	for range 4 { // one asks, the others wait for their turn
		waiting.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), short)
			defer cancel()
			begin := time.Now()
			if _, err := m.Services(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			if took := time.Since(begin); took > 10*short {
				t.Errorf("took %v", took)
			}
		})
	}
	waiting.Wait()
}

func TestSystemdIsAskedByMany(t *testing.T) {
	f := newFakeSystemd(t, someUnits()...)
	m := f.manager(Config{Timeout: time.Minute})
	var asking sync.WaitGroup
	for range 16 {
		asking.Go(func() {
			for range 5 {
				if _, err := m.Services(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	asking.Wait()
}
