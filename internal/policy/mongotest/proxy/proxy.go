// Package proxy puts a TCP proxy between a client and a server that cuts, delays,
// swallows and corrupts what passes.
package proxy

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Proxy passes connections on to one address. Its faults hold for connections
// that are open already too.
type Proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	conns   map[net.Conn]bool
	faults  Faults
	passing sync.WaitGroup
}

// Faults are what the proxy does wrong.
type Faults struct {
	// Refuse ends new connections at once.
	Refuse bool
	// Delay holds every piece of an answer back.
	Delay time.Duration
	// Swallow lets nothing through, in either direction.
	Swallow bool
	// Corrupt turns bits in the answers.
	Corrupt bool
}

// Start makes a proxy to a target.
func Start(target string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, target: target, conns: make(map[net.Conn]bool)}
	go p.accept()
	return p, nil
}

// URI is the connection string of the proxy.
func (p *Proxy) URI() string { return "mongodb://" + p.listener.Addr().String() + "/" }

// Set changes the faults.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// Cut ends all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// Close ends everything.
func (p *Proxy) Close() {
	p.listener.Close()
	p.Cut()
	p.passing.Wait()
}

func (p *Proxy) now() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || p.now().Refuse {
			if client != nil {
				client.Close()
			}
			continue
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.pass(client, server)
	}
}

// pass copies both ways until either end is gone.
func (p *Proxy) pass(client, server net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[client], p.conns[server] = true, true
	p.passing.Add(2)
	go p.copy(server, client, false)
	go p.copy(client, server, true)
}

func (p *Proxy) copy(to, from net.Conn, answers bool) {
	defer p.passing.Done()
	defer p.forget(to, from)
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		faults := p.now()
		if n > 0 && !faults.Swallow {
			if answers {
				time.Sleep(faults.Delay)
			}
			if answers && faults.Corrupt {
				for i := range buffer[:n] {
					buffer[i] ^= byte(0x55 + i)
				}
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(p.conns, c)
	}
}
