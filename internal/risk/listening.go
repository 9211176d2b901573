package risk

import (
	"cmp"
	"slices"
	"strconv"

	"server-monitor/internal/process"
)

// systemPorts are below this number: only root may open them, by default.
const systemPorts = 1024

// openPort is one port that is open to others.
type openPort struct {
	number   uint16
	code     Code
	severity Severity
	scope    process.Scope
	foreign  bool
}

// appendPorts appends a warning for each port, known or of the system, on which
// others can reach the process. Other ports are nobody's business: a client,
// too, holds a UDP port of the upper range.
func appendPorts(found []Warning, sockets []process.Socket) []Warning {
	var buffer [16]openPort
	open := buffer[:0]
	for i := range sockets {
		if port, ok := opened(&sockets[i]); ok {
			open = append(open, port)
		}
	}
	slices.SortFunc(open, func(a, b openPort) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.code, b.code))
	})
	for len(open) > 0 {
		port := open[0]
		for open = open[1:]; len(open) > 0 && open[0].number == port.number && open[0].code == port.code; open = open[1:] {
			port.severity = max(port.severity, open[0].severity)
			port.scope = max(port.scope, open[0].scope)
			port.foreign = port.foreign && open[0].foreign
		}
		found = append(found, Warning{
			Code: port.code, Severity: port.severity, Subject: strconv.Itoa(int(port.number)),
			Scope: port.scope, Foreign: port.foreign,
		})
	}
	return found
}

// opened tells what a socket means that others can reach.
func opened(s *process.Socket) (openPort, bool) {
	number, scope := s.Addr.Port(), s.Scope()
	if scope == process.Loopback {
		return openPort{}, false
	}
	if known, ok := LookupPort(s.Protocol, number); ok {
		return openPort{number, PublicPort, known.Severity, scope, s.Foreign}, true
	}
	return openPort{number, SystemPort, Danger, scope, s.Foreign}, number < systemPorts
}
