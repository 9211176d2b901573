package risk

import (
	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// Port is what is known of a port: which service it belongs to by custom, and
// what it means that others can reach it. What really listens there may be
// something else.
type Port struct {
	// Name is the label value of the service, as "ssh" or "mongodb".
	Name string
	// Service is the name of the service as people write it, the same in every
	// language.
	Service string
	// Severity is that of a PUBLIC_PORT for the port.
	Severity Severity

	reason, advice message
}

// LookupPort finds a port in the table of known ports.
func LookupPort(protocol process.Protocol, number uint16) (*Port, bool) {
	port, ok := knownPorts[portKey{protocol, number}]
	return port, ok
}

// Reason says why it matters that the port can be reached.
func (p *Port) Reason(l language.Language) string { return p.reason.in(l, "service", p.Service) }

// Advice says what to do about it.
func (p *Port) Advice(l language.Language) string { return p.advice.in(l, "service", p.Service) }

type portKey struct {
	protocol process.Protocol
	number   uint16
}

// transport says over which protocols a service is spoken on its port. UDP is
// listed only where the service uses it: a client may bind any free UDP port.
type transport uint8

const (
	overTCP transport = 1 << iota
	overUDP
	overBoth = overTCP | overUDP
)

// portClass is a group of ports that mean the same when they are reachable.
type portClass struct {
	severity       Severity
	reason, advice message
	ports          []portEntry
}

// portEntry is one row of the table. A reason or advice of its own goes before
// that of the class.
type portEntry struct {
	number         uint16
	over           transport
	name, service  string
	reason, advice message
}

// knownPorts is the table of known ports.
var knownPorts = indexPorts(portClasses)

func indexPorts(classes []portClass) map[portKey]*Port {
	index := make(map[portKey]*Port)
	for _, class := range classes {
		for _, entry := range class.ports {
			port := &Port{Name: entry.name, Service: entry.service, Severity: class.severity, reason: class.reason, advice: class.advice}
			if entry.reason != noMessage {
				port.reason = entry.reason
			}
			if entry.advice != noMessage {
				port.advice = entry.advice
			}
			if entry.over&overTCP != 0 {
				index[portKey{process.TCP, entry.number}] = port
			}
			if entry.over&overUDP != 0 {
				index[portKey{process.UDP, entry.number}] = port
			}
		}
	}
	return index
}
