package proxy

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// StreamServer passes a client on to a server that has no change streams, and
// answers itself what the client asks about one: the messages are those of
// MongoDB (OP_MSG, https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/),
// the events are the test's.
type StreamServer struct {
	listener net.Listener
	target   string
	events   chan bson.D

	mu      sync.Mutex
	opened  int
	open    map[net.Conn]bool
	running sync.WaitGroup
}

// StartStream makes such a server in front of a target.
func StartStream(target string) (*StreamServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &StreamServer{listener: listener, target: target, events: make(chan bson.D), open: make(map[net.Conn]bool)}
	s.running.Go(s.accept)
	return s, nil
}

// URI is the connection string.
func (s *StreamServer) URI() string { return "mongodb://" + s.listener.Addr().String() + "/" }

// Opened counts the streams that clients opened.
func (s *StreamServer) Opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Send gives an event to the stream that waits for one: a document of a
// collection has changed.
func (s *StreamServer) Send(database, collection string, id any) {
	s.events <- bson.D{
		{Key: "_id", Value: token()}, {Key: "ns", Value: bson.D{{Key: "db", Value: database}, {Key: "coll", Value: collection}}},
		{Key: "documentKey", Value: bson.D{{Key: "_id", Value: id}}},
	}
}

// Break answers the stream that waits with an error after which the driver does
// not go on by itself: the history is lost.
func (s *StreamServer) Break() { s.events <- nil }

// Close ends everything.
func (s *StreamServer) Close() {
	s.listener.Close()
	s.mu.Lock()
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// token is where in the stream a client is.
func token() bson.D { return bson.D{{Key: "_data", Value: time.Now().Format(time.RFC3339Nano)}} }

func (s *StreamServer) accept() {
	for {
		client, err := s.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", s.target)
		if err != nil {
			client.Close()
			continue
		}
		s.mu.Lock()
		s.open[client], s.open[server] = true, true
		s.mu.Unlock()
		var closing sync.Once
		end := func() { closing.Do(func() { client.Close(); server.Close() }) }
		s.running.Go(func() { defer end(); _, _ = io.Copy(client, server) })
		s.running.Go(func() { defer end(); s.serve(client, server) })
	}
}

// serve reads one message of the client after the other.
func (s *StreamServer) serve(client, server net.Conn) {
	for {
		message, err := readMessage(client)
		if err != nil {
			return
		}
		if answer := s.answer(commandOf(message)); answer != nil {
			err = writeAnswer(client, message, answer)
		} else {
			_, err = server.Write(message)
		}
		if err != nil {
			return
		}
	}
}

// headerSize is that of a message: length, request, response, kind.
const headerSize = 16

func readMessage(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.LittleEndian.Uint32(size[:]))
	copy(message, size[:])
	_, err := io.ReadFull(r, message[4:])
	return message, err
}

// opMessage is the kind of OP_MSG.
const opMessage = 2013

// commandOf is the command of an OP_MSG: behind the flags, in a section of kind
// 0.
func commandOf(message []byte) bson.Raw {
	body := message[headerSize:]
	if binary.LittleEndian.Uint32(message[12:]) != opMessage || body[4] != 0 {
		return nil
	}
	return bson.Raw(body[5 : 5+binary.LittleEndian.Uint32(body[5:])])
}

// writeAnswer answers a message.
func writeAnswer(w io.Writer, request []byte, answer bson.D) error {
	body, err := bson.Marshal(answer)
	if err != nil {
		return err
	}
	message := make([]byte, headerSize+5, headerSize+5+len(body))
	binary.LittleEndian.PutUint32(message, uint32(cap(message)))
	copy(message[8:12], request[4:8])
	binary.LittleEndian.PutUint32(message[12:], opMessage)
	_, err = w.Write(append(message, body...))
	return err
}

// streamID is the cursor of a stream.
const streamID = int64(4711)

// answer answers what is about a stream, nil for all else.
func (s *StreamServer) answer(command bson.Raw) bson.D {
	if command == nil {
		return nil
	}
	if pipeline, ok := command.Lookup("pipeline").ArrayOK(); ok && command.Lookup("aggregate").Type != 0 {
		if first, err := pipeline.IndexErr(0); err != nil || first.Document().Lookup("$changeStream").Type == 0 {
			return nil
		}
		s.mu.Lock()
		s.opened++
		s.mu.Unlock()
		return batch("firstBatch", nil)
	}
	if id, ok := command.Lookup("getMore").Int64OK(); ok && id == streamID {
		return s.more(command)
	}
	if ids, ok := command.Lookup("cursors").ArrayOK(); ok && command.Lookup("killCursors").Type != 0 {
		if first, err := ids.IndexErr(0); err == nil && first.Int64() == streamID {
			return bson.D{{Key: "ok", Value: 1.0}}
		}
	}
	return nil
}

// more waits for an event as long as the client says, at most a second.
func (s *StreamServer) more(command bson.Raw) bson.D {
	wait := time.Duration(command.Lookup("maxTimeMS").AsInt64()) * time.Millisecond
	select {
	case event := <-s.events:
		if event == nil {
			return bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: 286}, {Key: "codeName", Value: "ChangeStreamHistoryLost"}, {Key: "errmsg", Value: "history lost"}}
		}
		return batch("nextBatch", event)
	case <-time.After(min(wait, time.Second)):
		return batch("nextBatch", nil)
	}
}

func batch(name string, event bson.D) bson.D {
	events := bson.A{}
	if event != nil {
		events = bson.A{event}
	}
	return bson.D{
		{Key: "cursor", Value: bson.D{
			{Key: "id", Value: streamID}, {Key: "ns", Value: "server_monitor.$cmd.aggregate"}, {Key: name, Value: events},
			{Key: "postBatchResumeToken", Value: token()},
		}},
		{Key: "ok", Value: 1.0},
	}
}
