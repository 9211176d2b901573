// Package service tells which services should run on the machine and how they
// are: systemd's units over D-Bus or, where there is no systemd, configured
// names looked for in the process table.
package service

import (
	"context"
	"time"
)

// Service is one service as its manager sees it.
type Service struct {
	// Name is the unit's name without ".service", or the configured name.
	Name string
	// State is the state in one word.
	State State
	// Sub is the manager's finer state ("running", "exited", "dead"); empty
	// where the process table is the source.
	Sub string
	// Description is the unit's own description, empty without one.
	Description string
	// Source is who says so.
	Source Source
	// Since is when the present state began, zero if unknown.
	Since time.Time
	// MainPID is the pid of the main process, 0 without one.
	MainPID int
	// Configured tells a service that is reported even where it is absent.
	Configured bool

	// The rest is known for loaded systemd units only; nil is unknown.
	StartTime   *time.Time // when the present activation began
	Restarts    *uint64    // automatic restarts (NRestarts)
	MemoryBytes *uint64    // MemoryCurrent
	CPUSeconds  *float64   // CPUUsageNSec in seconds
	Tasks       *uint64    // TasksCurrent
}

// State is a state word. The first six and "reloading" are systemd's.
type State string

// The states of a service.
const (
	Active       State = "active"
	Idle         State = "idle" // runs, but sleeps without a listener or a child
	Activating   State = "activating"
	Deactivating State = "deactivating"
	Reloading    State = "reloading"
	Inactive     State = "inactive"
	Failed       State = "failed"
	NotFound     State = "not_found"
	Unsupported  State = "unsupported"
)

// States lists all states in the order that people expect.
var States = []State{Active, Idle, Activating, Deactivating, Reloading, Inactive, Failed, NotFound, Unsupported}

// Source is where a state comes from.
type Source string

// The sources.
const (
	Systemd      Source = "systemd"
	ProcessTable Source = "process"
)

// Health is the colour of a service's dot.
type Health int

// The colours, as the metric service_health encodes them.
const (
	Good Health = iota
	Warn
	Bad
)

// Manager lists services.
type Manager interface {
	// Services returns the services of the moment, ordered by name, each name
	// once. An error means that the manager could not be asked at all.
	Services(ctx context.Context) ([]Service, error)
}
