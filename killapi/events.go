package killapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"server-monitor/internal/token"
)

// A stream is an answer of server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html) that goes on
// until the client leaves, its token no longer holds, or server-monitor stops.
// Each client is served by the goroutine of its own request: one that reads
// slowly holds up nobody, and is dropped.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	pace    pace
	wrote   time.Time
}

// pace is the rhythm of streams.
type pace struct {
	// unit is that of the parameter interval.
	unit time.Duration
	// fresh is how old what is shown may be when a stream asks for it, so that
	// streams that ask one after the other share it.
	fresh time.Duration
	// poll is how often a log that is followed is looked at.
	poll time.Duration
	// beat is how often something is sent where there is nothing to say, so that
	// nobody on the way takes the connection for dead.
	beat time.Duration
	// write is how long a client may take for one event.
	write time.Duration
}

// usualPace is that of streams outside of tests.
var usualPace = pace{unit: time.Second, fresh: time.Second, poll: 500 * time.Millisecond, beat: 15 * time.Second, write: 10 * time.Second}

// retryAfter is what a client is told to wait before it comes again.
const retryAfter = 2 * time.Second

// openStream begins the answer.
func openStream(w http.ResponseWriter, p pace) (*stream, error) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep events back
	s := &stream{w: w, control: http.NewResponseController(w), pace: p}
	if err := s.allow(); err != nil {
		return nil, err
	}
	w.WriteHeader(http.StatusOK)
	_ = s.write([]byte("retry: " + strconv.FormatInt(retryAfter.Milliseconds(), 10) + "\n\n")) // the next write fails too
	return s, nil
}

// allow gives the next write its time. Without it the time that the server gives
// a whole answer would end the stream.
func (s *stream) allow() error { return s.control.SetWriteDeadline(time.Now().Add(s.pace.write)) }

// write sends text as it is.
func (s *stream) write(text []byte) error {
	if err := s.allow(); err != nil {
		return err
	}
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	s.wrote = time.Now()
	return s.control.Flush()
}

// send sends one event, whose data is JSON in one line.
func (s *stream) send(name string, id uint64, data []byte) error {
	var b bytes.Buffer
	if id > 0 {
		b.WriteString("id: " + strconv.FormatUint(id, 10) + "\n")
	}
	b.WriteString("event: " + name + "\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
	return s.write(b.Bytes())
}

// sendJSON sends one event of a value.
func (s *stream) sendJSON(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return s.send(name, 0, data)
}

// beat sends a comment where nothing was sent for long.
func (s *stream) beat(now time.Time) error {
	if now.Sub(s.wrote) < s.pace.beat {
		return nil
	}
	return s.write([]byte(": still here\n\n"))
}

// The events that every stream may have.
const (
	// eventProblem: something could not be read; the stream goes on.
	eventProblem = "problem"
	// eventEnd: the stream ends, for the reason in its code.
	eventEnd = "end"
)

// ending is the data of the last event.
type ending struct {
	Code string `json:"code"`
}

// end sends the last event, to whoever still listens.
func (s *stream) end(code string) { _ = s.sendJSON(eventEnd, ending{code}) }

// The codes of the last event.
const (
	endToken    = "unauthorized"
	endStopping = "stopping"
	endLog      = "log-unavailable"
)

// errStreams says that no further stream is served.
var errStreams = errors.New("too many streams")

// The limits of streams: all of them together, so that connections are left for
// other calls, and those of one client.
const (
	maxStreams          = 64
	maxStreamsPerClient = 16
)

// streams counts the streams that are open.
type streams struct {
	mu     sync.Mutex
	all    int
	client map[string]int
}

// enter counts one in, unless there are too many.
func (s *streams) enter(client string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= maxStreams || s.client[client] >= maxStreamsPerClient {
		return errStreams
	}
	if s.client == nil {
		s.client = make(map[string]int)
	}
	s.all++
	s.client[client]++
	return nil
}

// leave counts one out.
func (s *streams) leave(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.client[client]--; s.client[client] == 0 {
		delete(s.client, client)
	}
}

var problemStreams = newProblem(http.StatusTooManyRequests, "too-many-streams", "Too many streams are open.")

// enterStream counts a stream of a client in. What it returns counts it out.
func (a *API) enterStream(r *http.Request, who token.Record) (leave func(), err error) {
	client := who.ID
	if client == "" {
		client = remoteAddr(r)
	}
	if a.streams.enter(client) != nil {
		p := *problemStreams
		p.retryAfter = int(usualPace.beat.Seconds())
		return nil, &p
	}
	return func() { a.streams.leave(client) }, nil
}

// serveStream opens a stream and serves it with a function, which returns when
// the client is gone or is to be.
func (a *API) serveStream(w http.ResponseWriter, r *http.Request, serve func(s *stream) error) error {
	s, err := openStream(w, a.pace)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		return nil
	}
	if err := serve(s); err != nil {
		a.config.Logger.Debug("stream ended", "path", r.URL.Path, "from", remoteAddr(r), "err", err)
	}
	return nil // it is too late for another answer
}

// holds tells whether the bearer of a token may still make a call: the token may
// have expired or been revoked meanwhile, or have another role.
func (a *API) holds(r *http.Request, who token.Record, c token.Role) bool {
	if who.ID == "" { // nobody has to show one
		return true
	}
	now, err := a.accept(r.Header["Authorization"])
	return err == nil && now.ID == who.ID && now.Role.Includes(c)
}
