// Package ferret runs FerretDB, which speaks MongoDB's wire protocol, inside of
// tests: a real server behind a real connection, kept in SQLite.
package ferret

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Server is one FerretDB. It can be stopped and started again with what it
// holds, at the same address.
type Server struct {
	folder  string
	address string
	cert    string // the files of TLS, empty without
	key     string
	stop    context.CancelFunc
	done    chan struct{}
}

// Start runs a server that keeps its data in a folder. An address with port 0
// gets a free port.
func Start(address, folder string) (*Server, error) {
	return StartTLS(address, folder, "", "")
}

// StartTLS is [Start] for a server that speaks TLS.
func StartTLS(address, folder, certFile, keyFile string) (*Server, error) {
	s := &Server{folder: folder, address: address, cert: certFile, key: keyFile}
	err := s.Start()
	return s, err
}

// making guards what FerretDB keeps for all servers of a program.
var making sync.Mutex

// Start runs a stopped server again.
func (s *Server) Start() error {
	making.Lock()
	defer making.Unlock()
	db, err := ferretdb.New(&ferretdb.Config{
		Listener: s.listener(), Handler: "sqlite", SQLiteURL: "file:" + s.folder + "/",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return fmt.Errorf("start FerretDB: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = db.Run(ctx) // always nil
	}()
	s.stop, s.done = cancel, done
	s.address = hostOf(db.MongoDBURI())
	return s.wait()
}

func (s *Server) listener() ferretdb.ListenerConfig {
	if s.cert == "" {
		return ferretdb.ListenerConfig{TCP: s.address}
	}
	return ferretdb.ListenerConfig{TLS: s.address, TLSCertFile: s.cert, TLSKeyFile: s.key}
}

// hostOf is the address in "mongodb://127.0.0.1:27017/?tls=true".
func hostOf(uri string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(uri, "mongodb://"), "/")
	return host
}

// wait waits until the server takes connections.
func (s *Server) wait() error {
	var err error
	for range 100 {
		var c net.Conn
		if c, err = new(net.Dialer).DialContext(context.Background(), "tcp", s.address); err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("FerretDB does not listen: %w", err)
}

// Stop ends the server and its connections.
func (s *Server) Stop() {
	s.stop()
	<-s.done
}

// Address is where it listens.
func (s *Server) Address() string { return s.address }

// URI is its connection string.
func (s *Server) URI() string { return "mongodb://" + s.address + "/" }
