// Package service tells which services should run on the machine and how they
// are: systemd's units over D-Bus, what Windows' service control manager knows
// or, where there is neither, configured names looked for in the process table.
package service

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"server-monitor/internal/process"
)

// Service is one service as its manager sees it.
type Service struct {
	// Name is the unit's name without ".service", or the configured name.
	Name string
	// State is the state in one word.
	State State
	// Sub is the manager's finer state ("running", "exited", "dead") or, for a
	// unit that is not loaded and does nothing, why not ("masked",
	// "bad-setting"); empty where the process table is the source. Of Windows it
	// is the state in its own words ("running", "paused", "start pending"), or
	// "disabled" for one that is stopped and may not be started.
	Sub string
	// Description is the unit's own description, on Windows the name that people
	// read, empty without one.
	Description string
	// Source is who says so.
	Source Source
	// Since is when the present state began, zero if unknown. The process table
	// knows no more than when the main process started.
	Since time.Time
	// MainPID is the pid of the main process, 0 without one.
	MainPID int
	// Configured tells a service that is reported even where it is absent.
	Configured bool
	// StartTime is when the present activation began, of a Windows service when
	// its process started; nil is unknown, as it is in the process table.
	StartTime *time.Time

	// These are known on Windows only: how the service is started (the words of
	// "sc.exe qc": "auto", "delayed-auto", "demand", "disabled") and as whom.
	StartType, Account string

	// The rest is known for loaded systemd units only; nil is unknown.
	Restarts    *uint64  // automatic restarts (NRestarts)
	MemoryBytes *uint64  // MemoryCurrent
	CPUSeconds  *float64 // CPUUsageNSec in seconds
	Tasks       *uint64  // TasksCurrent
}

// State is a state word. All but idle, not_found and unsupported are systemd's.
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
	NotFound     State = "not_found"   // a configured name that the manager does not know
	Unsupported  State = "unsupported" // cannot be told
)

// States lists all states in the order that people expect.
var States = []State{Active, Idle, Activating, Deactivating, Reloading, Inactive, Failed, NotFound, Unsupported}

// Source is where a state comes from.
type Source string

// The sources.
const (
	Systemd      Source = "systemd"
	SCM          Source = "scm" // the service control manager of Windows
	ProcessTable Source = "process"
)

// Manager lists services.
type Manager interface {
	// Services returns the services of the moment, ordered by name, each name
	// once. Names and descriptions are safe to show. The slice may be shared
	// with other callers and is not to be changed.
	//
	// An error means that the manager could not be asked at all, with one
	// exception: with an error that wraps [ErrManagerAway], the services, if
	// any, are the configured ones as the process table has them.
	Services(ctx context.Context) ([]Service, error)
}

// ErrManagerAway says that the machine has a manager of services, but that it
// could not be asked.
var ErrManagerAway = errors.New(managerName + " cannot be asked")

// sortByName puts services into the order that [Manager] promises.
func sortByName(services []Service) {
	slices.SortFunc(services, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
}

// printable makes what units and processes call themselves safe to show.
func printable(s string) string { return process.Printable(s) }
