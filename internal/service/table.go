package service

import (
	"context"
	"fmt"

	"server-monitor/internal/process"
)

// Snapshot reads the processes of the moment.
type Snapshot func(ctx context.Context) (*process.Snapshot, error)

// TableManager looks for the configured services in the process table. It is
// for machines without systemd, such as containers, and for what systemd does
// not know.
//
// It finds them by names that whoever starts a process chooses. That is enough
// to say what runs; it is no proof that it is the real thing, which the
// assessment of the process gives.
type TableManager struct {
	config   Config
	snapshot Snapshot
}

// NewProcessTable makes a manager that reads the process table.
func NewProcessTable(config Config, snapshot Snapshot) *TableManager {
	return &TableManager{config: config, snapshot: snapshot}
}

// Services implements [Manager].
func (m *TableManager) Services(ctx context.Context) ([]Service, error) {
	snapshot, err := m.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for services among the processes: %w", err)
	}
	return lookUp(m.config.names(), snapshot), nil
}

// lookUp finds services by name in the process table, and orders them by name.
func lookUp(names []string, snapshot *process.Snapshot) []Service {
	t := table{processes: snapshot.Processes}
	services := make([]Service, 0, len(names))
	for _, name := range names {
		services = append(services, t.find(name))
	}
	sortByName(services)
	return services
}

// table is the processes of one snapshot.
type table struct {
	processes []process.Process
	// parents are the pids of those that have a child which has not ended, nil
	// until somebody wants to know.
	parents map[int]bool
}

// isParent tells whether a process has a child that has not ended.
func (t *table) isParent(pid int) bool {
	if t.parents == nil {
		t.parents = make(map[int]bool)
		for i := range t.processes {
			if p := &t.processes[i]; !ended(p) {
				t.parents[p.PPID] = true
			}
		}
	}
	return t.parents[pid]
}

// find looks for one service. It is as well as its best process: one that
// works makes it active, whatever others sleep or have ended beside it.
func (t *table) find(name string) Service {
	s := Service{Name: printable(name), State: Inactive, Source: ProcessTable, Configured: true}
	programs := knownAs(name).programs
	found := make(map[int]bool)
	var main *process.Process
	for i := range t.processes {
		p := &t.processes[i]
		if p.Kernel || !isAny(p, programs) {
			continue
		}
		if s.State != Active { // else it cannot become any better
			s.State = better(s.State, t.stateOf(p))
		}
		if ended(p) {
			continue
		}
		found[p.PID] = true
		if main == nil || comesBefore(p, main, found) {
			main = p
		}
	}
	if main != nil {
		s.MainPID = main.PID
		s.Since = main.StartTime
	}
	return s
}

// comesBefore tells whether p rather than main is the main process: the parent
// of its like, else the one that has run for longest.
func comesBefore(p, main *process.Process, found map[int]bool) bool {
	switch {
	case main.PPID == p.PID:
		return true
	case found[p.PPID]:
		return false
	}
	return p.StartTime.Before(main.StartTime)
}

// stateOf is what one process says of its service. Whether one is idle cannot
// be told where its sockets may not be seen; it runs, so it counts as active.
func (t *table) stateOf(p *process.Process) State {
	switch p.State {
	case process.Zombie, process.Dead:
		return Failed
	case process.Stopped, process.Traced:
		return Idle // it holds its sockets and children, but serves nobody
	case process.Sleeping, process.Idle:
		if len(p.Listen) == 0 && p.Denied&process.DeniedSockets == 0 && !t.isParent(p.PID) {
			return Idle
		}
	}
	return Active
}

// ended tells a process that has exited and is only remembered.
func ended(p *process.Process) bool {
	return p.State == process.Zombie || p.State == process.Dead
}

// better is that of two states of processes which decides for the service.
func better(a, b State) State {
	for _, s := range []State{Active, Idle, Failed} {
		if a == s || b == s {
			return s
		}
	}
	return Inactive
}
