package service

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"server-monitor/internal/process"
)

// fakeManager answers what it is told to.
type fakeManager struct {
	mu       sync.Mutex
	services []Service
	err      error
	wait     func(ctx context.Context)
	asked    int
	closed   bool
}

func (f *fakeManager) Services(ctx context.Context) ([]Service, error) {
	if f.wait != nil {
		f.wait(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	return append([]Service(nil), f.services...), f.err
}

func (f *fakeManager) Close() error {
	f.closed = true
	return nil
}

// systemdSays are configured services as systemd tells them.
func systemdSays(names string) []Service {
	var services []Service
	for name := range strings.FieldsSeq(names) {
		name, there := strings.CutSuffix(name, "+")
		s := Service{Name: name, State: NotFound, Source: Systemd, Configured: true}
		if there {
			s.State = Active
		}
		services = append(services, s)
	}
	sortByName(services)
	return services
}

// seen is what is compared of a service.
type seen struct {
	State  State
	Source Source
}

func seenOf(services map[string]Service) map[string]seen {
	all := make(map[string]seen)
	for name, s := range services {
		all[name] = seen{s.State, s.Source}
	}
	return all
}

func always(yes bool) func() bool { return func() bool { return yes } }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestAutoWithoutSystemd(t *testing.T) {
	systemd := &fakeManager{err: errors.New("asked")}
	config := Config{Configured: []string{"nginx", "sshd"}}
	a := newAuto(config, systemd, always(false), tableOf(listening(sleeper(7, 1, "nginx"))), quiet())
	want := map[string]seen{"nginx": {Active, ProcessTable}, "sshd": {Inactive, ProcessTable}}
	if diff := cmp.Diff(want, seenOf(asked(t, a))); diff != "" {
		t.Error(diff)
	}
	if systemd.asked != 0 {
		t.Error("systemd was asked")
	}
	if err := a.Close(); err != nil || !systemd.closed {
		t.Errorf("closed %v, %v", systemd.closed, err)
	}
}

// What systemd does not know is looked for among the processes; only what could
// never be a unit takes its absence from there.
func TestAutoCompletesSystemd(t *testing.T) {
	config := Config{Configured: []string{"nginx", "sshd", "docker", "python", "java", "late"}}
	systemd := &fakeManager{services: systemdSays("nginx+ sshd docker python java late")}
	table := tableOf(
		sleeper(5, 1, "nginx"), // systemd knows better
		listening(sleeper(7, 1, "sshd")), inState(process.Running, sleeper(8, 7, "python3.11")), zombie(sleeper(9, 1, "late")),
	)
	want := map[string]seen{
		"nginx": {Active, Systemd}, "sshd": {Active, ProcessTable}, "python": {Active, ProcessTable},
		"java": {Inactive, ProcessTable}, "docker": {NotFound, Systemd}, "late": {Failed, ProcessTable},
	}
	got := asked(t, newAuto(config, systemd, always(true), table, quiet()))
	if diff := cmp.Diff(want, seenOf(got)); diff != "" {
		t.Error(diff)
	}
	if s := got["python"]; !s.Configured || s.MainPID != 8 {
		t.Errorf("%+v", s)
	}
}

func TestAutoWithoutProcesses(t *testing.T) {
	broken := func(context.Context) (*process.Snapshot, error) { return nil, errors.New("no /proc") }
	config := Config{Configured: []string{"nginx", "docker", "python"}}
	systemd := &fakeManager{services: systemdSays("nginx+ docker python")}
	got := asked(t, newAuto(config, systemd, always(true), broken, quiet()))
	want := map[string]seen{"nginx": {Active, Systemd}, "docker": {NotFound, Systemd}, "python": {Unsupported, ProcessTable}}
	if diff := cmp.Diff(want, seenOf(got)); diff != "" {
		t.Error(diff)
	}
	systemd.err = errors.New("no bus")
	services, err := newAuto(config, systemd, always(true), broken, quiet()).Services(t.Context())
	if services != nil || !errors.Is(err, ErrManagerAway) || !strings.Contains(err.Error(), "no /proc") {
		t.Errorf("%v, error %v", services, err)
	}
	if _, err := newAuto(config, systemd, always(false), broken, quiet()).Services(t.Context()); err == nil || errors.Is(err, ErrManagerAway) {
		t.Errorf("error %v", err)
	}
}

// The process table stands in for systemd, and each change is logged once.
func TestAutoSystemdComesAndGoes(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	systemd := &fakeManager{services: systemdSays("nginx+ sshd+ java+")}
	booted := true
	a := newAuto(Config{Configured: []string{"sshd", "nginx", "java"}}, systemd, func() bool { return booted },
		tableOf(listening(sleeper(7, 1, "nginx"))), logger)
	fromSystemd := map[string]seen{"java": {Active, Systemd}, "nginx": {Active, Systemd}, "sshd": {Active, Systemd}}
	fromTable := map[string]seen{"java": {Inactive, ProcessTable}, "nginx": {Active, ProcessTable}, "sshd": {Inactive, ProcessTable}}
	standIn := map[string]seen{"java": {Inactive, ProcessTable}, "nginx": {Active, ProcessTable}, "sshd": {Unsupported, ProcessTable}}
	steps := []struct {
		err    error
		booted bool
		want   map[string]seen
		level  string
	}{
		{nil, true, fromSystemd, "INFO"},
		{errors.New("refused \x1b[31m"), true, standIn, "WARN"},
		{nil, true, fromSystemd, "INFO"},
		{nil, false, fromTable, "INFO"},
		{nil, true, fromSystemd, "INFO"},
	}
	for i, step := range steps {
		log.Reset()
		systemd.err, booted = step.err, step.booted
		for range 3 {
			services, err := a.Services(t.Context())
			if errors.Is(err, ErrManagerAway) != (step.err != nil) || !errors.Is(err, step.err) {
				t.Errorf("step %d: error %v", i, err)
			}
			if diff := cmp.Diff(step.want, seenOf(byName(t, services))); diff != "" {
				t.Errorf("step %d: %s", i, diff)
			}
		}
		if line := log.String(); strings.Count(line, "\n") != 1 || !strings.Contains(line, "level="+step.level) || strings.Contains(line, "\x1b") {
			t.Errorf("step %d logged %q", i, line)
		}
	}
}

// Processes are read while systemd is asked, once, and only where that is
// going to be needed.
func TestAutoReadsProcessesAtTheSameTime(t *testing.T) {
	var read atomic.Int32
	begun := make(chan struct{})
	snapshot := func(context.Context) (*process.Snapshot, error) {
		if read.Add(1) == 1 {
			close(begun)
		}
		return &process.Snapshot{}, nil
	}
	systemd := &fakeManager{services: systemdSays("nginx+ python")}
	systemd.wait = func(context.Context) {
		select {
		case <-begun:
		case <-time.After(10 * time.Second):
			t.Error("processes are not read while systemd is asked")
		}
	}
	asked(t, newAuto(Config{Configured: []string{"nginx", "python"}}, systemd, always(true), snapshot, quiet()))
	if n := read.Load(); n != 1 {
		t.Errorf("processes were read %d times", n)
	}
	systemd = &fakeManager{services: systemdSays("nginx+")}
	a := newAuto(Config{Configured: []string{"nginx"}}, systemd, always(true), snapshot, quiet())
	asked(t, a)
	asked(t, a)
	if n := read.Load(); n != 1 {
		t.Errorf("processes were read %d times for nothing", n-1)
	}
}

func TestAutoShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		systemd := &fakeManager{services: systemdSays("nginx+")}
		systemd.wait = func(context.Context) { time.Sleep(time.Second) }
		a := newAuto(Config{Configured: []string{"nginx"}}, systemd, always(true), tableOf(), quiet())
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := a.Services(impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		var asking sync.WaitGroup
		for range 10 {
			asking.Go(func() {
				if services, err := a.Services(t.Context()); err != nil || len(services) != 1 {
					t.Errorf("%v, error %v", services, err)
				}
			})
		}
		asking.Wait()
		if systemd.asked != 1 {
			t.Errorf("systemd was asked %d times", systemd.asked)
		}
	})
}
