package killapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"server-monitor/internal/inventory"
	"server-monitor/internal/process"
	"server-monitor/internal/resources"
	"server-monitor/internal/service"
	"server-monitor/internal/token"
)

// changing is a server whose processes change, and which counts how often it was
// looked at.
type changing struct {
	mu     sync.Mutex
	now    []process.Process
	broken error
	taken  atomic.Int64
}

func (c *changing) Take(ctx context.Context) (*inventory.Inventory, error) {
	c.taken.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, c.broken
	}
	return fixedInventory{append([]process.Process{}, c.now...)}.Take(ctx)
}

func (c *changing) set(err error, now ...process.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.broken = now, err
}

// live is an API behind a real server whose times are short: it would cut off any
// answer after a second.
type live struct {
	*testAPI
	server *httptest.Server
	calls  atomic.Int64 // under way
}

// quick is a pace for tests.
var quick = pace{unit: 10 * time.Millisecond, fresh: time.Millisecond, poll: 10 * time.Millisecond, beat: 100 * time.Millisecond, write: time.Second}

func startLive(t *testing.T, change func(*Config)) *live {
	t.Helper()
	goleak.VerifyNone(t) // what earlier tests left is not ours
	t.Cleanup(func() { goleak.VerifyNone(t) })
	l := &live{testAPI: newTestAPI(t, change)}
	l.pace = quick
	l.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.calls.Add(1)
		defer l.calls.Add(-1)
		l.ServeHTTP(w, r)
	}))
	l.server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(16 << 10) // so that who does not read is noticed soon
		return ctx
	}
	l.server.Config.WriteTimeout, l.server.Config.ReadTimeout = time.Second, time.Second
	l.server.Start()
	t.Cleanup(func() {
		l.Close()
		l.server.Close()
	})
	return l
}

// event is one server-sent event.
type event struct{ id, name, data string }

// watch opens a stream and hands its events out.
func (l *live) watch(ctx context.Context, path string, role token.Role) (<-chan event, *http.Response) {
	l.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.server.URL+path, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	r.Host = testHost
	r.Header.Set("Authorization", "Bearer "+l.tokens[role])
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	if answer.StatusCode == http.StatusOK {
		theContract.hold(l.t, r, "", answer.StatusCode, answer.Header, "")
	}
	where := r.URL.Path
	events := make(chan event, 10_000)
	go func() {
		defer close(events)
		defer answer.Body.Close()
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 16<<20)
		var e event
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if value != "" {
					events <- event{name: "comment", data: value}
				} else if e.name != "" {
					theContract.holdEvent(l.t, where, e)
					events <- e
				}
				e = event{}
			}
		}
	}()
	return events, answer
}

// until waits for an event of a name whose data holds a text.
func until(t *testing.T, events <-chan event, name, text string) event {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended before an event %s with %q", name, text)
			}
			if e.name == name && strings.Contains(e.data, text) {
				return e
			}
		case <-timeout:
			t.Fatalf("no event %s with %q", name, text)
		}
	}
}

// over waits for the end of a stream.
func over(t *testing.T, events <-chan event) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case _, ok := <-events:
			if !ok {
				return
			}
		case <-timeout:
			t.Fatal("the stream goes on")
		}
	}
}

func TestStream(t *testing.T) {
	machine := &changing{}
	machine.set(nil, user(100, "tool", "/opt/tool/tool"), user(200, "web", "/opt/web/web"))
	l := startLive(t, func(c *Config) { c.Inventories = machine })
	ctx, cancel := context.WithCancel(t.Context())
	events, answer := l.watch(ctx, "/api/v1/stream?language=ko", token.Viewer)
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("content type %q", kind)
	}
	until(t, events, eventResources, `"cpu"`)
	until(t, events, eventServices, `"state_text":"실행 중"`)
	until(t, events, eventProcesses, `"total":2`)

	machine.set(nil, user(200, "web", "/opt/web/web"), user(300, "evil", "/tmp/evil"))
	e := until(t, events, eventChanges, `"pid":300`)
	if !strings.Contains(e.data, `"gone":["100-1000-0123abcd"]`) || strings.Contains(e.data, `"pid":200`) || e.id == "" {
		t.Errorf("changes %v", e)
	}
	machine.set(errors.New("no /proc"))
	until(t, events, eventProblem, `"about":"processes"`)
	machine.set(nil, user(200, "web", "/opt/web/web"))
	until(t, events, eventChanges, `"gone":["300-3000-0123abcd"]`)

	time.Sleep(1200 * time.Millisecond) // longer than the server gives an answer
	machine.set(nil)
	until(t, events, eventChanges, `"gone":["200-2000-0123abcd"]`)
	until(t, events, "comment", "still here")
	cancel()
	over(t, events)
}

// TestStreamSaysNothingTwice counts the events of a server on which nothing
// happens.
func TestStreamSaysNothingTwice(t *testing.T) {
	l := startLive(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	defer cancel()
	events, _ := l.watch(ctx, "/api/v1/stream", token.Viewer)
	count := map[string]int{}
	for e := range events {
		count[e.name]++
	}
	if count[eventResources] != 1 || count[eventServices] != 1 || count[eventProcesses] != 1 || count["comment"] < 3 {
		t.Errorf("events %v", count)
	}
	// Nothing looks different, but what was looked at is newer.
	if n := count[eventChanges]; n > 0 {
		t.Errorf("%d changes of nothing", n)
	}
}

// TestStreamsShareOneCollection watches with many clients.
func TestStreamsShareOneCollection(t *testing.T) {
	machine := &changing{}
	machine.set(nil, user(100, "tool", "/opt/tool/tool"))
	l := startLive(t, func(c *Config) { c.Inventories = machine })
	l.pace.unit, l.pace.fresh = 100*time.Millisecond, 100*time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	begin := time.Now()
	var all []<-chan event
	for range maxStreamsPerClient {
		events, _ := l.watch(ctx, "/api/v1/stream", token.Viewer)
		all = append(all, events)
	}
	for _, events := range all {
		until(t, events, eventProcesses, `"total":1`)
		over(t, events)
	}
	looks, most := machine.taken.Load(), int64(time.Since(begin)/l.pace.fresh)+1
	t.Logf("%d clients, %d collections in %v", len(all), looks, time.Since(begin))
	if looks > most || looks < 5 {
		t.Errorf("%d collections, want at most %d", looks, most)
	}
}

func TestStreamEndsWithTheToken(t *testing.T) {
	l := startLive(t, nil)
	secret, record, err := l.file.Create("short", token.Viewer, time.Now().Add(4*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	watch := func(role token.Role) <-chan event {
		events, _ := l.watch(t.Context(), "/api/v1/stream", role)
		until(t, events, eventProcesses, "")
		return events
	}
	l.tokens["short"] = secret
	expiring, revoked, stays := watch("short"), watch(token.Operator), watch(token.Admin)
	if record.Expires.IsZero() {
		t.Fatal("it does not expire")
	}
	id, err := token.ID(l.tokens[token.Operator])
	if err != nil {
		t.Fatal(err)
	}
	if err := l.file.Revoke(id); err != nil {
		t.Fatal(err)
	}
	for _, events := range []<-chan event{revoked, expiring} {
		until(t, events, eventEnd, `"code":"unauthorized"`)
		over(t, events)
	}
	l.Close()
	until(t, stays, eventEnd, `"code":"stopping"`)
	over(t, stays)
}

func TestStreamsAreBounded(t *testing.T) {
	l := startLive(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var all []<-chan event
	for range maxStreamsPerClient {
		events, answer := l.watch(ctx, "/api/v1/stream?interval=60", token.Viewer)
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("status %d", answer.StatusCode)
		}
		until(t, events, eventProcesses, "")
		all = append(all, events)
	}
	for _, path := range []string{"/api/v1/stream", "/api/v1/logs/stream?source=test"} {
		l.want(l.request("GET", path, token.Viewer, ""), http.StatusTooManyRequests, "too-many-streams")
	}
	other, _ := l.watch(ctx, "/api/v1/stream", token.Operator)
	until(t, other, eventProcesses, "")
	cancel()
	for _, events := range append(all, other) {
		over(t, events)
	}
	again, _ := l.watch(t.Context(), "/api/v1/stream", token.Viewer)
	until(t, again, eventProcesses, "")
}

func TestAllStreamsTogetherAreBounded(t *testing.T) {
	var s streams
	for i := range maxStreams {
		if err := s.enter(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if s.enter("one more") == nil {
		t.Error("one more may enter")
	}
	s.leave("0")
	if err := s.enter("one more"); err != nil || len(s.client) != maxStreams {
		t.Errorf("%v, %d clients", err, len(s.client))
	}
}

// TestSlowClientIsDropped has a client that reads nothing. It holds up nobody, and
// nothing is left of it.
func TestSlowClientIsDropped(t *testing.T) {
	machine := &changing{}
	many := func(generation int) []process.Process {
		all := make([]process.Process, 500)
		for i := range all {
			all[i] = user(10+i, fmt.Sprint("tool", generation), "/opt/tool/tool")
		}
		return all
	}
	machine.set(nil, many(0)...)
	l := startLive(t, func(c *Config) { c.Inventories = machine })
	conn, err := net.Dial("tcp", l.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /api/v1/stream HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", testHost, l.tokens[token.Viewer])
	ctx, cancel := context.WithCancel(t.Context())
	good, _ := l.watch(ctx, "/api/v1/stream", token.Admin)
	until(t, good, eventProcesses, `"total":500`)
	deadline := time.Now().Add(time.Minute)
	for generation := 1; l.calls.Load() > 1; generation++ {
		if time.Now().After(deadline) {
			t.Fatal("the slow client is still served")
		}
		machine.set(nil, many(generation)...)
		time.Sleep(50 * time.Millisecond)
	}
	machine.set(nil, user(1, "last", "/opt/last"))
	until(t, good, eventChanges, `"name":"last"`)
	cancel()
	over(t, good)
}

func TestStreamParameters(t *testing.T) {
	a := newTestAPI(t, nil)
	for _, query := range []string{"interval=1", "interval=61", "interval=x", "interval=2&interval=3", "language=fr", "verdict=danger"} {
		a.want(a.request("GET", "/api/v1/stream?"+query, token.Viewer, ""), http.StatusBadRequest, "bad-request")
	}
	a.want(a.request("HEAD", "/api/v1/processes", token.Viewer, ""), http.StatusOK, "")
}

// degraded is a manager whose systemd is away.
type degraded struct{ services []service.Service }

func (d degraded) Services(context.Context) ([]service.Service, error) {
	return d.services, fmt.Errorf("%w: no bus", service.ErrManagerAway)
}

func TestServicesWhereSystemdIsAway(t *testing.T) {
	some := degraded{[]service.Service{{Name: "nginx", State: service.Unsupported, Source: service.ProcessTable, Configured: true}}}
	a := newTestAPI(t, func(c *Config) { c.Services = some })
	body := a.want(a.request("GET", "/api/v1/services?language=ko", token.Viewer, ""), http.StatusOK, "")
	for _, want := range []string{`"degraded":true`, `"name":"nginx"`, `"state":"unsupported"`, `"state_text":"확인할 수 없음"`, `"health":"warn"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	none := newTestAPI(t, func(c *Config) { c.Services = degraded{} })
	none.want(none.request("GET", "/api/v1/services", token.Viewer, ""), http.StatusInternalServerError, "internal")
}

// panicking panics when it is asked.
type panicking struct{}

func (panicking) Take(context.Context) (*resources.Resources, error) { panic("resources") }

// TestPanicInACollection must not end the program, as a panic outside of the
// goroutine of a request would.
func TestPanicInACollection(t *testing.T) {
	l := startLive(t, func(c *Config) { c.Resources = panicking{} })
	ctx, cancel := context.WithCancel(t.Context())
	events, _ := l.watch(ctx, "/api/v1/stream", token.Viewer)
	until(t, events, eventProblem, `"about":"resources"`)
	until(t, events, eventProcesses, `"total":3`)
	cancel()
	over(t, events)
}
