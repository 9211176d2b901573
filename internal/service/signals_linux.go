package service

import (
	"sync"

	"github.com/godbus/dbus/v5"
)

// noSignals drops the signals of a connection, as nobody here waits for any.
//
// go-systemd always listens for them. With godbus's own handler its goroutine
// would stay for ever where the connection ended before it began to listen,
// as happens with a bus that hangs.
type noSignals struct {
	mu        sync.Mutex
	listeners []chan<- *dbus.Signal
	ended     bool
}

// DeliverSignal implements [dbus.SignalHandler].
func (*noSignals) DeliverSignal(string, string, *dbus.Signal) {}

// AddSignal implements [dbus.SignalRegistrar].
func (s *noSignals) AddSignal(listener chan<- *dbus.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		close(listener)
		return
	}
	s.listeners = append(s.listeners, listener)
}

// RemoveSignal implements [dbus.SignalRegistrar]. A listener that is removed
// gets no signals, which it did not before.
func (*noSignals) RemoveSignal(chan<- *dbus.Signal) {}

// Terminate implements [dbus.Terminator]: it tells the listeners that the
// connection has ended.
func (s *noSignals) Terminate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	for _, listener := range s.listeners {
		close(listener)
	}
}
