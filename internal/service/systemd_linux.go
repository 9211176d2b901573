package service

import (
	"context"
	"errors"
	"fmt"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// SystemdManager asks systemd over D-Bus. It keeps its connection, makes a new
// one when that has gone, and is safe for concurrent use.
//
// It needs ListUnitsByPatterns and ListUnitsByNames, which systemd has since
// version 230.
type SystemdManager struct {
	config Config
	buses  []bus
	// turn is held by the one call that uses the connection.
	turn chan struct{}
	conn *systemd.Conn
	// kept is what is known of units by their ids.
	kept map[string]*keptFacts
}

// NewSystemd makes a manager that asks systemd. It connects when it is first
// asked, and is to be closed in the end.
func NewSystemd(config Config) *SystemdManager {
	return newSystemd(config, machineBuses(config)...)
}

func newSystemd(config Config, buses ...bus) *SystemdManager {
	return &SystemdManager{config: config, buses: buses, turn: make(chan struct{}, 1)}
}

// Services implements [Manager]. It waits at most for the timeout of the
// configuration. Where systemd falls silent after it has told the states, these
// are returned without what else there is to know.
func (m *SystemdManager) Services(ctx context.Context) ([]Service, error) {
	ctx, cancel := context.WithTimeout(ctx, m.config.timeout())
	defer cancel()
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for an earlier question to systemd: %w", context.Cause(ctx))
	}
	loaded, err := m.list(ctx)
	if err != nil {
		return nil, err
	}
	published, err := m.choose(ctx, loaded)
	if err == nil {
		err = m.addFacts(ctx, published)
	}
	if err != nil {
		m.disconnect()
	}
	services := make([]Service, 0, len(published))
	for _, u := range published {
		services = append(services, u.Service)
	}
	sortByName(services)
	return services, nil
}

// Close ends the connection.
func (m *SystemdManager) Close() error {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	m.disconnect()
	return nil
}

// unit is a service, and the primary name of its unit, empty where systemd
// knows none.
type unit struct {
	Service
	id string
}

// choose picks what is reported: the configured services, each under its
// configured name, and those other units that the patterns select.
func (m *SystemdManager) choose(ctx context.Context, loaded []systemd.UnitStatus) ([]unit, error) {
	published, err := m.configured(ctx, loaded)
	names, ids := make(map[string]bool), make(map[string]bool)
	for _, u := range published {
		names[u.Name], ids[u.id] = true, true
	}
	for _, status := range loaded {
		u, ok := unitOf(status)
		if !ok || ids[u.id] || names[u.Name] || !worthReporting(status.LoadState, status.ActiveState) || !m.config.selects(u.Name) {
			continue
		}
		names[u.Name], ids[u.id] = true, true
		published = append(published, u)
	}
	return published, err
}

// configured finds the configured services. Those that systemd would not tell
// are unsupported, for it is not known that they are absent; an error means
// that it has stopped answering.
func (m *SystemdManager) configured(ctx context.Context, loaded []systemd.UnitStatus) ([]unit, error) {
	byID := make(map[string]systemd.UnitStatus, len(loaded))
	for _, status := range loaded {
		byID[status.Name] = status
	}
	var units []unit
	var away error
	for _, name := range m.config.names() {
		status, err := m.find(ctx, knownAs(name).units, byID)
		u, ok := unitOf(status)
		switch {
		case err != nil:
			u = unit{Service: Service{State: Unsupported, Source: Systemd}}
			if !refused(err) {
				away = err
			}
		case !ok:
			u = unit{Service: Service{State: NotFound, Source: Systemd}}
		}
		u.Name, u.Configured = printable(name), true
		units = append(units, u)
	}
	return units, away
}

// find looks for the best of several units, among those that are loaded and,
// where none of them will do, by name: that loads units which nothing refers
// to, and follows the aliases of unit files.
func (m *SystemdManager) find(ctx context.Context, names []string, loaded map[string]systemd.UnitStatus) (systemd.UnitStatus, error) {
	var best systemd.UnitStatus
	var others []string
	for _, name := range names {
		if status, ok := loaded[name+unitSuffix]; ok {
			best = preferred(best, status)
		} else if canBeUnit(name) {
			others = append(others, name+unitSuffix)
		}
	}
	if best.LoadState == loadLoaded || len(others) == 0 {
		return best, nil
	}
	found, err := m.conn.ListUnitsByNamesContext(ctx, others)
	if err != nil {
		return best, fmt.Errorf("look for units by name: %w", err)
	}
	for _, status := range found {
		best = preferred(best, status)
	}
	return best, nil
}

// preferred is the better of two units, the first one where they are alike.
func preferred(a, b systemd.UnitStatus) systemd.UnitStatus {
	if rank(b) < rank(a) {
		return b
	}
	return a
}

// rank orders units by how much there is of them.
func rank(status systemd.UnitStatus) int {
	switch {
	case status.Name == "":
		return 4
	case status.LoadState == loadNotFound && status.ActiveState == unitInactive:
		return 3
	case status.LoadState != loadLoaded:
		return 2
	case status.ActiveState == unitInactive:
		return 1
	}
	return 0
}

// unitOf describes a unit of the list; ok is false for what is no service.
func unitOf(status systemd.UnitStatus) (u unit, ok bool) {
	name, ok := cutUnitSuffix(status.Name)
	if !ok {
		return unit{}, false
	}
	u = unit{id: status.Name, Service: Service{
		Name:   printable(name),
		State:  unitState(status.LoadState, status.ActiveState),
		Sub:    printable(unitSub(status.LoadState, status.ActiveState, status.SubState)),
		Source: Systemd,
	}}
	if u.State != NotFound { // systemd gives its name for a description
		u.Description = printable(status.Description)
	}
	return u, true
}

// refused tells an answer that is an error from the want of an answer.
func refused(err error) bool {
	var reply dbus.Error
	return errors.As(err, &reply)
}
