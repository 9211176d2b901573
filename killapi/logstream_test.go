package killapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"server-monitor/internal/logtail"
	"server-monitor/internal/token"
)

// append adds text to the log of a test.
func (a *testAPI) append(text string) {
	a.t.Helper()
	f, err := os.OpenFile(a.file.Path+".log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	f.Close()
}

func TestLogStream(t *testing.T) {
	l := startLive(t, nil)
	var lines strings.Builder
	for i := range 100 {
		fmt.Fprintf(&lines, "line %d.\n", i)
	}
	l.append(lines.String())
	ctx, cancel := context.WithCancel(t.Context())
	const path = "/api/v1/logs/stream?source=test"
	events, answer := l.watch(ctx, path, token.Viewer)
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("content type %q", kind)
	}
	first := until(t, events, eventLog, "line 80.")
	if strings.Contains(first.data, "line 79.") || !strings.Contains(first.data, "line 99.") || strings.Count(first.data, `"text"`) != defaultLines {
		t.Errorf("first %s", first.data)
	}
	l.append("error: \x1b[31mred\n")
	if e := until(t, events, eventLog, "red"); !strings.Contains(e.data, `"level":"error"`) || strings.Contains(e.data, `\u001b`) || e.id != "21" {
		t.Errorf("live %v", e)
	}
	other, _ := l.watch(ctx, path, token.Admin)
	if e := until(t, other, eventLog, "red"); strings.Contains(e.data, "line 80.") || !strings.Contains(e.data, "line 81.") {
		t.Errorf("one who comes later is sent %s", e.data)
	}
	time.Sleep(1200 * time.Millisecond) // longer than the server gives an answer
	if err := os.Rename(l.file.Path+".log", l.file.Path+".log.1"); err != nil {
		t.Fatal(err)
	}
	l.append("after the rotation\n")
	until(t, events, eventLog, "after the rotation")
	until(t, other, eventLog, "after the rotation")
	cancel()
	over(t, events)
	over(t, other)
	l.rest()
	if n := len(l.tails.all); n != 0 {
		t.Errorf("%d logs are followed for nobody", n)
	}
}

// rest waits until no call is under way.
func (l *live) rest() {
	l.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); l.calls.Load() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatal("calls are still under way")
		}
	}
}

func TestLogStreamIsRefused(t *testing.T) {
	a := newTestAPI(t, nil)
	get := func(query string) *http.Request {
		return a.request("GET", "/api/v1/logs/stream"+query, token.Viewer, "")
	}
	a.want(get("?source=../etc/shadow"), http.StatusNotFound, "no-such-source")
	a.want(get(""), http.StatusNotFound, "no-such-source")
	a.want(get("?source=test&lines=5"), http.StatusBadRequest, "bad-request")
	body := a.want(get("?source=test&language=ko"), http.StatusServiceUnavailable, "log-unavailable")
	if !strings.Contains(body, "이 서버에 해당 로그가 없습니다.") {
		t.Errorf("a missing log: %s", body)
	}
	if len(a.tails.all) != 0 || a.streams.all != 0 {
		t.Errorf("%d logs, %d streams are left", len(a.tails.all), a.streams.all)
	}
}

// script is a log that a test writes, and which counts what is asked of it.
type script struct {
	begun, closed atomic.Int64
	greedy        bool // gives more lines than it is asked for

	mu    sync.Mutex
	last  []logtail.Line
	lines []logtail.Line
	err   error
}

func (s *script) Name() string { return "script" }

func (s *script) Last(context.Context, int) ([]logtail.Line, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, nil
}

func (s *script) Follow(context.Context) (logtail.Follower, error) {
	s.begun.Add(1)
	return s, nil
}

func (s *script) Next(_ context.Context, n int) ([]logtail.Line, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.greedy {
		n = min(n, len(s.lines))
	} else {
		n = len(s.lines)
	}
	some := s.lines[:n]
	s.lines = s.lines[n:]
	return some, s.err
}

func (s *script) Close() error {
	s.closed.Add(1)
	return nil
}

func (s *script) write(err error, texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines, s.err = append(s.lines, lines(texts...)...), err
}

func lines(texts ...string) []logtail.Line {
	all := []logtail.Line{}
	for _, text := range texts {
		all = append(all, logtail.Line{Text: text})
	}
	return all
}

// TestLogIsFollowedOnce watches one log with many clients.
func TestLogIsFollowedOnce(t *testing.T) {
	log := &script{}
	l := startLive(t, func(c *Config) { c.Logs = map[string]logtail.Log{"script": log} })
	ctx, cancel := context.WithCancel(t.Context())
	var all []<-chan event
	for range 10 {
		events, _ := l.watch(ctx, "/api/v1/logs/stream?source=script", token.Viewer)
		all = append(all, events)
	}
	log.write(nil, "one", "two")
	for _, events := range all {
		until(t, events, eventLog, "two")
	}
	if n := log.begun.Load(); n != 1 {
		t.Errorf("followed %d times", n)
	}
	cancel()
	for _, events := range all {
		over(t, events)
	}
	l.rest()
	if n := log.closed.Load(); n != 1 {
		t.Errorf("let go %d times", n)
	}

	// Whoever comes later begins anew; a log that fails is told and let go.
	events, _ := l.watch(t.Context(), "/api/v1/logs/stream?source=script&language=ko", token.Viewer)
	log.write(fmt.Errorf("open: %w", fs.ErrPermission), "three")
	until(t, events, eventLog, "three")
	until(t, events, eventProblem, "권한이 없습니다")
	until(t, events, eventEnd, `"code":"log-unavailable"`)
	over(t, events)
	l.rest()
	if log.begun.Load() != 2 || log.closed.Load() != 2 {
		t.Errorf("followed %d times, let go %d times", log.begun.Load(), log.closed.Load())
	}
	l.want(l.request("GET", "/api/v1/logs/stream?source=script", token.Viewer, ""), http.StatusServiceUnavailable, "log-unavailable")
}

func TestLogStreamEndsWithTheToken(t *testing.T) {
	log := &script{}
	l := startLive(t, func(c *Config) { c.Logs = map[string]logtail.Log{"script": log} })
	revoked, _ := l.watch(t.Context(), "/api/v1/logs/stream?source=script", token.Operator)
	stays, _ := l.watch(t.Context(), "/api/v1/logs/stream?source=script", token.Viewer)
	id, err := token.ID(l.tokens[token.Operator])
	if err != nil {
		t.Fatal(err)
	}
	if err := l.file.Revoke(id); err != nil {
		t.Fatal(err)
	}
	log.write(nil, "a secret")
	for e := range revoked {
		if e.name == eventLog {
			t.Errorf("a token that is revoked is shown %s", e.data)
		}
	}
	until(t, stays, eventLog, "a secret")
	l.Close()
	until(t, stays, eventEnd, `"code":"stopping"`)
	over(t, stays)
}

// TestSkippedLinesAreCounted has a log that is written faster than it is sent.
func TestSkippedLinesAreCounted(t *testing.T) {
	log := &script{greedy: true}
	l := startLive(t, func(c *Config) { c.Logs = map[string]logtail.Log{"script": log} })
	ctx, cancel := context.WithCancel(t.Context())
	events, _ := l.watch(ctx, "/api/v1/logs/stream?source=script", token.Viewer)
	many := make([]string, 5*logKept)
	many[len(many)-1] = "the last"
	log.write(nil, many...)
	until(t, events, eventSkipped, fmt.Sprintf(`{"lines":%d}`, 4*logKept))
	until(t, events, eventLog, "the last")
	cancel()
	over(t, events)
	l.rest()
}

// TestNoLineTwiceNorLost begins to follow a log that is being written.
func TestNoLineTwiceNorLost(t *testing.T) {
	for name, c := range map[string]struct{ last, more, want []string }{
		"nothing new":          {[]string{"a", "b"}, nil, []string{"a", "b"}},
		"new":                  {[]string{"a", "b"}, []string{"c"}, []string{"a", "b", "c"}},
		"one comes both ways":  {[]string{"a", "b"}, []string{"b", "c"}, []string{"a", "b", "c"}},
		"all come both ways":   {[]string{"a", "b"}, []string{"a", "b"}, []string{"a", "b"}},
		"more than the last":   {[]string{"b", "c"}, []string{"b", "c", "d"}, []string{"b", "c", "d"}},
		"the log was empty":    {nil, []string{"a"}, []string{"a"}},
		"alike, but not there": {[]string{"a", "b"}, []string{"a"}, []string{"a", "b", "a"}},
	} {
		log := &script{last: lines(c.last...), lines: lines(c.more...)}
		var all tails
		life, end := context.WithCancel(t.Context())
		watched, err := all.join(life, "x", log, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		n := watched.after(watched.tip())
		var got []string
		for _, text := range n.lines {
			got = append(got, strings.Split(string(text), `"`)[7])
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		all.leave("x", watched)
		end()
	}
}

// TestWhoIsFarBehindIsTold has more lines than are kept.
func TestWhoIsFarBehindIsTold(t *testing.T) {
	watched := &tail{more: make(chan struct{})}
	for range 5 {
		watched.add(make([]logtail.Line, logKept))
	}
	n := watched.after(0)
	if len(n.lines) < logKept || len(n.lines) > 2*logKept || n.missed+uint64(len(n.lines)) != 5*logKept || n.last != 5*logKept {
		t.Errorf("%d lines, %d missed, last %d", len(n.lines), n.missed, n.last)
	}
	if n := watched.after(n.last); len(n.lines) != 0 || n.missed != 0 {
		t.Errorf("%d lines, %d missed behind the last", len(n.lines), n.missed)
	}
	watched.fail(errors.New("no more"))
	if watched.failed() == nil {
		t.Error("it did not fail")
	}
}
