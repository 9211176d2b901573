package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/windows/svc"

	"server-monitor/internal/ownfile"
)

func TestServeArguments(t *testing.T) {
	const tokens, audit, policy = `--operator.token-file=C:\d\tokens.json`, `--audit.file=C:\d\audit.jsonl`, `--policy.copy-file=C:\d\policy.jsonl`
	for _, c := range []struct{ given, want []string }{
		{nil, []string{tokens, audit}},
		{[]string{"--web.listen-address=:1"}, []string{tokens, audit, "--web.listen-address=:1"}},
		{[]string{`--audit.file=D:\a`}, []string{tokens, `--audit.file=D:\a`}},
		{[]string{"--operator.token-file", `D:\t`}, []string{audit, "--operator.token-file", `D:\t`}},
		{[]string{`--policy.mongodb-uri-file=D:\u`}, []string{tokens, audit, policy, `--policy.mongodb-uri-file=D:\u`}},
	} {
		i := &installConfig{flags: c.given}
		want := append([]string{"serve", "--as-service"}, c.want...)
		if got := i.serveArguments(`C:\d\tokens.json`); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", c.given, got, want)
		}
	}
}

func TestTokenFileOf(t *testing.T) {
	for want, arguments := range map[string][]string{
		"":     {"serve", "--operator.token-file-of-another=x"},
		`C:\t`: {"serve", `--operator.token-file=C:\a`, `--operator.token-file=C:\t`},
		`D:\t`: {"serve", "--operator.token-file", `D:\t`},
	} {
		if got := tokenFileOf(arguments).Path; got != want {
			t.Errorf("%q: %q, want %q", arguments, got, want)
		}
	}
}

// Flags that serve would refuse are refused when the service is made, all of
// them.
func TestCheckArguments(t *testing.T) {
	var out bytes.Buffer
	_, c := newApp(&out, &out)
	if err := c.checkArguments([]string{"serve", "--as-service", "--web.listen-address=:1"}); err != nil {
		t.Error(err)
	}
	for _, arguments := range [][]string{
		{"serve", "--no-such-flag"}, {"serve", "--web.max-requests=x"}, {"serve", "scan"}, {"scan"}, {"serve", "--operator.listen-address=0.0.0.0:1"},
	} {
		if err := c.checkArguments(arguments); err == nil {
			t.Errorf("%q: nothing is wrong", arguments)
		}
	}
}

// recordedEvents is an event log.
type recordedEvents struct {
	mu   sync.Mutex
	said []string
	err  error
}

func (r *recordedEvents) note(level string, id uint32, message string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf("%s %d %s", level, id, message))
	return r.err
}

func (r *recordedEvents) Info(id uint32, message string) error { return r.note("info", id, message) }
func (r *recordedEvents) Warning(id uint32, message string) error {
	return r.note("warning", id, message)
}
func (r *recordedEvents) Error(id uint32, message string) error { return r.note("error", id, message) }

func (r *recordedEvents) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.said, "\n")
}

func TestEventLogger(t *testing.T) {
	c, _, err := parse(t, "--log.level=info")
	if err != nil {
		t.Fatal(err)
	}
	log := new(recordedEvents)
	logger := c.eventLogger(log)
	logger.Debug("not told")
	logger.Info("one", "key", "a value")
	logger.With("part", "x").WithGroup("g").Warn("two\x00", "key", 2)
	logger.Error(strings.Repeat("long", 20_000))
	if len(log.said) != 3 {
		t.Fatalf("%d events: %.500q", len(log.said), log.said)
	}
	for i, want := range []string{"info 1 time=", "warning 2 time=", "error 3 time="} {
		if !strings.HasPrefix(log.said[i], want) || strings.ContainsRune(log.said[i], 0) || len(log.said[i]) > longestEvent+20 {
			t.Errorf("%.200q, want %s…", log.said[i], want)
		}
	}
	if !strings.Contains(log.said[0], `msg=one key="a value"`) || !strings.Contains(log.said[1], "part=x g.key=2") {
		t.Errorf("%q", log.said[:2])
	}
	w := &eventWriter{log: &recordedEvents{err: errors.New("full")}, level: slog.LevelError}
	if n, err := w.Write([]byte("text\n")); err == nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := w.Write([]byte("\n")); err != nil || n != 1 {
		t.Errorf("an empty line: %d, %v", n, err)
	}
}

// The events of goroutines keep their levels.
func TestEventLoggerIsConcurrent(t *testing.T) {
	c, _, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	log := new(recordedEvents)
	logger := c.eventLogger(log)
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() { logger.Info("fine") })
		group.Go(func() { logger.Error("broken") })
	}
	group.Wait()
	for _, event := range log.said {
		if strings.HasPrefix(event, "info") != strings.Contains(event, "msg=fine") {
			t.Error(event)
		}
	}
	if len(log.said) != 200 {
		t.Errorf("%d events", len(log.said))
	}
}

// managed is a service under a manager that a test plays.
type managed struct {
	requests chan svc.ChangeRequest
	status   chan svc.Status
	log      *recordedEvents
	exit     chan uint32
}

// manage executes a service that serves in some way.
func manage(t *testing.T, serve func(context.Context, *slog.Logger, notify) error) *managed {
	t.Helper()
	m := &managed{make(chan svc.ChangeRequest), make(chan svc.Status), new(recordedEvents), make(chan uint32, 1)}
	c, _, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	h := &serviceHandler{serve: serve, logger: c.eventLogger(m.log)}
	go func() {
		specific, exitCode := h.Execute(nil, m.requests, m.status)
		if specific != (exitCode != 0) {
			t.Errorf("specific %v of %d", specific, exitCode)
		}
		m.exit <- exitCode
	}()
	return m
}

// become waits for a state.
func (m *managed) become(t *testing.T, want svc.State) svc.Status {
	t.Helper()
	select {
	case got := <-m.status:
		if got.State != want {
			t.Fatalf("state %d, want %d", got.State, want)
		}
		return got
	case <-time.After(20 * time.Second):
		t.Fatalf("no state %d", want)
	}
	return svc.Status{}
}

func TestServiceIsStopped(t *testing.T) {
	release := make(chan struct{})
	m := manage(t, func(ctx context.Context, _ *slog.Logger, tell notify) error {
		<-release
		tell(ready)
		<-ctx.Done()
		tell(stopping)
		return nil
	})
	m.become(t, svc.StartPending)
	close(release)
	running := m.become(t, svc.Running)
	if running.Accepts != svc.AcceptStop|svc.AcceptShutdown {
		t.Errorf("accepts %d", running.Accepts)
	}
	m.requests <- svc.ChangeRequest{Cmd: svc.Interrogate, CurrentStatus: running}
	m.become(t, svc.Running)
	m.requests <- svc.ChangeRequest{Cmd: svc.Stop}
	m.become(t, svc.StopPending)
	for done := false; !done; {
		select {
		case <-m.status: // the stage of serve, too
		case code := <-m.exit:
			if code != 0 {
				t.Errorf("exit code %d", code)
			}
			done = true
		case <-time.After(20 * time.Second):
			t.Fatal("it does not end")
		}
	}
	if said := m.log.all(); !strings.Contains(said, "told to stop") || !strings.Contains(said, "msg=stopped") {
		t.Error(said)
	}
}

// One that cannot serve ends with an exit code of its own, so that the manager
// starts it again, and says why.
func TestServiceFails(t *testing.T) {
	m := manage(t, func(context.Context, *slog.Logger, notify) error { return errors.New("the port is taken") })
	m.become(t, svc.StartPending)
	select {
	case code := <-m.exit:
		if code != failedExit {
			t.Errorf("exit code %d", code)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
	if said := m.log.all(); !strings.Contains(said, "error 3") || !strings.Contains(said, "the port is taken") {
		t.Error(said)
	}
}

// A service that nobody has installed cannot be started, stopped or removed.
func TestServiceThatIsNotThere(t *testing.T) {
	for _, verb := range []string{"start", "stop", "uninstall"} {
		if _, problems := command(t, exitFailed, "service", verb); !strings.Contains(problems, "open the service "+ownfile.ServiceName) {
			t.Errorf("%s: %s", verb, problems)
		}
	}
}

func TestUsualTokenFile(t *testing.T) {
	path, err := usualTokenFile()
	if err != nil || filepath.Base(filepath.Dir(path)) != ownfile.ServiceName {
		t.Errorf("%s, %v", path, err)
	}
}
