package process

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// onlooker is a reader that remembers, and what it may be late with.
type onlooker struct {
	name   string
	reader *Reader
	last   map[Identity]Process
	// prompt tells a reader that takes all processes for young, whose facts are
	// read every time.
	prompt bool
	// tables tells a reader that may not enter other network namespaces.
	tables bool
}

// openViews makes the readers that look on: those of young and of old processes
// always, one of the others in turn.
func (s *stage) openViews(seed uint64) error {
	for _, v := range []*onlooker{{name: "young", prompt: true}, {name: "old"}, {name: []string{"few descriptors", "no descriptors", "tables"}[seed%3]}} {
		r, err := NewReader(Config{Proc: "/proc", Root: "/"})
		if err != nil {
			return err
		}
		v.reader, v.last, r.youngLife = r, map[Identity]Process{}, 0
		switch v.name {
		case "young":
			r.youngLife = 1 << 60
		case "few descriptors":
			r.maxDescriptors = 100
		case "no descriptors":
			r.maxDescriptors = 0
		case "tables":
			r.sockets.noSetns, v.tables = true, true
		}
		if len(s.views) > 0 {
			r.boot = s.views[0].reader.boot
		} else if r.boot, err = r.bootTime(); err != nil {
			return err
		}
		s.views = append(s.views, v)
	}
	return nil
}

// compare holds what each reader tells against what two fresh ones tell, one
// before and one after it. What both of them agree in has not changed meanwhile.
// The number of descriptors may be late by some snapshots; state, memory and the
// like are compared until nothing happened meanwhile.
func (s *stage) compare() error {
	var volatile error
	for range countTurn + 2 {
		before, err := s.fresh()
		if err != nil {
			return err
		}
		got := make([]*Snapshot, len(s.views))
		for i, v := range s.views {
			if got[i], err = v.reader.Snapshot(context.Background()); err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
		}
		after, err := s.fresh()
		if err != nil {
			return err
		}
		s.looks += len(s.views)
		if err := s.checkModel(before, after); err != nil {
			return err
		}
		volatile = nil
		for i, v := range s.views {
			passing, err := s.check(v, got[i], before, after)
			if err != nil {
				return err
			}
			volatile = errors.Join(volatile, passing)
		}
		if volatile == nil {
			return nil
		}
	}
	return volatile
}

// settle lets every fact have its turn. After that nothing may be late any more.
func (s *stage) settle() error {
	for range settleLooks {
		for _, v := range s.views {
			if _, err := v.reader.Snapshot(context.Background()); err != nil {
				return err
			}
		}
		s.looks += len(s.views)
	}
	for _, g := range s.groups {
		g.blurred = false
		for _, a := range g.actors {
			a.silent, a.passed = false, false
		}
		g.note("settled")
	}
	for _, v := range s.views {
		v.tables = false
	}
	return s.compare()
}

// check compares one reader's snapshot. What may be another at any moment comes
// back as passing.
func (s *stage) check(v *onlooker, got, before, after *Snapshot) (passing, err error) {
	now := map[Identity]Process{}
	for i := range got.Processes {
		p := &got.Processes[i]
		now[p.Identity] = *p
		if p.PID != 1 && find(before, p.PID) == nil && find(after, p.PID) == nil {
			return nil, s.failure(v, p.PID, "is not there")
		}
	}
	for i := range before.Processes {
		want := &before.Processes[i]
		again := find(after, want.PID)
		if want.PID == 1 || again == nil || render(want) != render(again) {
			continue // it is ourselves, or changed meanwhile
		}
		p, ok := now[want.Identity]
		if !ok {
			return nil, s.failure(v, want.PID, "is missing")
		}
		if problem := s.late(v, want, &p); problem != "" {
			return nil, s.failure(v, want.PID, problem)
		}
		if problem := passingDifference(want, &p); problem != "" {
			if v.prompt && want.OpenFDs != p.OpenFDs {
				return nil, s.failure(v, want.PID, problem)
			}
			passing = errors.Join(passing, s.failure(v, want.PID, problem))
		}
		if last, ok := v.last[want.Identity]; ok && (last.Revision == p.Revision) != (lasting(&last) == lasting(&p)) {
			return nil, s.failure(v, want.PID, fmt.Sprintf("revision %d, was %d\n was %s\n is  %s", p.Revision, last.Revision, lasting(&last), lasting(&p)))
		}
	}
	v.last = now
	return passing, nil
}

// late tells what a reader tells otherwise of a process than a fresh one, and may
// not.
func (s *stage) late(v *onlooker, want, got *Process) string {
	a := s.actor(want.PID)
	if a == nil {
		return "is nobody's"
	}
	known, is := *want, *got
	last, met := v.last[want.Identity]
	switch {
	case want.State.ended(): // it is known by what it was
		if met && *got.Facts != *last.Facts && *got.Facts != *want.Facts {
			return difference("facts of its life", fmt.Sprintf("%+v", *last.Facts), fmt.Sprintf("%+v", *got.Facts))
		}
		is.Facts = known.Facts
	case a.silent && !v.prompt && met && *got.Facts == *last.Facts:
		is.Facts = known.Facts
	}
	switch {
	case a.group.blurred, v.tables && a.group.isForeign():
		is.Listen = known.Listen
	case a.passed:
		for _, socket := range is.Listen {
			if !slices.Contains(known.Listen, socket) {
				return difference("sockets", fmt.Sprint(known.Listen), fmt.Sprint(is.Listen))
			}
		}
		is.Listen = known.Listen
	}
	if lasting(&known) != lasting(&is) {
		return difference("differs", lasting(&known), lasting(&is))
	}
	return ""
}

// isForeign tells a group of which some live in another network.
func (g *group) isForeign() bool {
	return slices.ContainsFunc(g.actors, func(a *actor) bool {
		for _, s := range a.sockets {
			if s.network {
				return true
			}
		}
		return a.network
	})
}

// checkModel holds what a fresh reader tells against what was ordered.
func (s *stage) checkModel(before, after *Snapshot) error {
	for _, g := range s.groups {
		for _, a := range g.actors {
			p, again := find(before, a.pid), find(after, a.pid)
			switch {
			case a.ended && (p == nil || p.State.ended()):
				continue
			case p == nil:
				return g.failure(fmt.Errorf("%d is not there", a.pid))
			case a.ended || again == nil || render(p) != render(again):
				continue
			}
			want := a.ports()
			var got []string
			for _, socket := range p.Listen {
				if !socket.Foreign {
					got = append(got, fmt.Sprintf("%v/%d", socket.Protocol, socket.Addr.Port()))
				}
			}
			slices.Sort(got)
			if p.UID != a.euid || !slices.Equal(want, got) {
				return g.failure(fmt.Errorf("%d: uid %d and sockets %v were ordered, a fresh reader tells %d and %v", a.pid, a.euid, want, p.UID, got))
			}
		}
	}
	return nil
}

// ports are those sockets of the first network that an actor holds and the kernel
// lists, each once.
func (a *actor) ports() []string {
	var all []string
	var seen []*actorSocketState
	for _, s := range a.sockets {
		if s.network || !s.listening || slices.Contains(seen, s) {
			continue
		}
		seen = append(seen, s)
		all = append(all, fmt.Sprintf("%s/%d", map[int]string{1: "tcp", 2: "udp"}[s.kind], s.port))
	}
	slices.Sort(all)
	return all
}

func (s *stage) actor(pid int) *actor {
	for _, g := range s.groups {
		for _, a := range g.actors {
			if a.pid == pid {
				return a
			}
		}
	}
	return nil
}

func (s *stage) failure(v *onlooker, pid int, problem string) error {
	err := fmt.Errorf("reader of %s, process %d: %s", v.name, pid, problem)
	if a := s.actor(pid); a != nil {
		return a.group.failure(err)
	}
	return err
}

// lasting is all of a process but what changes without making a new revision.
func lasting(p *Process) string {
	return fmt.Sprintf("%+v ppid=%d comm=%q session=%d tty=%q kernel=%v start=%d listen=%+v denied=%d facts=%+v",
		p.Identity, p.PPID, p.Comm, p.Session, p.TTY, p.Kernel, p.StartTime.UnixNano(), p.Listen, p.Denied, *p.Facts)
}

// passing is the rest but for the revision.
func passing(p *Process) string {
	return fmt.Sprintf("state=%c cpu=%v rss=%d threads=%d fds=%d", p.State, p.CPUSeconds, p.ResidentBytes, p.Threads, p.OpenFDs)
}

func render(p *Process) string { return lasting(p) + " " + passing(p) }

func passingDifference(want, got *Process) string {
	if passing(want) == passing(got) {
		return ""
	}
	return difference("differs", passing(want), passing(got))
}

func difference(what, want, got string) string {
	return strings.Join([]string{what, "fresh " + want, "known " + got}, "\n   ")
}
