package service

import (
	"context"
	"fmt"
	"math"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"golang.org/x/sync/errgroup"
)

// The interfaces whose properties are read (org.freedesktop.systemd1(5)).
const (
	unitInterface    = "Unit"
	serviceInterface = "Service"
)

// questionsAtOnce is of how many units systemd is asked at the same time. It
// answers one after the other, but spends less time on them when they queue.
const questionsAtOnce = 16

// addFacts reads the properties of units that do something or failed, or that
// somebody cares for. A property that systemd does not have or does not give
// stays unknown; an error means that it has stopped answering. Of a unit that is
// known, systemd is asked for the last change of its state alone.
//
// Properties are read one by one: GetAll would make systemd encode hundreds
// of them, and takes it twice as long as those that are wanted.
func (m *SystemdManager) addFacts(ctx context.Context, units []unit) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(questionsAtOnce)
	mount := m.config.path("/sys/fs/cgroup")
	kept := make([]*keptFacts, len(units))
	for i := range units {
		u := &units[i]
		if u.id == "" || u.State == NotFound || u.State == Inactive && !u.Configured {
			continue
		}
		group.Go(func() error {
			p := properties{ctx: ctx, conn: m.conn, id: u.id}
			// At first some are kept for a shorter time, so that they do not all
			// grow old at once.
			kept[i] = p.add(&u.Service, m.kept[u.id], mount, i%keptFor)
			if p.err != nil {
				return fmt.Errorf("read properties of %s: %w", u.Name, p.err)
			}
			return nil
		})
	}
	err := group.Wait()
	m.kept = make(map[string]*keptFacts, len(units))
	for i, k := range kept {
		if k != nil {
			m.kept[units[i].id] = k
		}
	}
	return err
}

// properties reads the properties of one unit, until systemd stops answering.
type properties struct {
	ctx  context.Context
	conn *systemd.Conn
	id   string
	err  error
}

// add tells a service all that is to be known of it, and returns what can be
// kept for the next time, nil where that cannot be told.
func (p *properties) add(s *Service, old *keptFacts, mount string, age int) *keptFacts {
	stamp, dated := p.number(unitInterface, "StateChangeTimestampMonotonic")
	if dated && old.hold(stamp, s) {
		listed := *s
		if p.addKept(s, old) {
			return old
		}
		*s = listed
	}
	p.addTimes(s)
	var group *groupUse
	if s.Sub != subExited { // else nothing is left to measure
		p.addMain(s)
		p.addUse(s)
		group = groupOf(mount, p.text(serviceInterface, "ControlGroup"), s, old)
		if group != nil && !group.read(s) {
			group = nil
		}
	}
	if p.err != nil || !dated {
		return nil
	}
	if old != nil {
		age = 0
	}
	return keep(stamp, age, s, group)
}

// addKept tells a service what is kept of it, and what it uses now.
func (p *properties) addKept(s *Service, old *keptFacts) bool {
	old.age++
	old.give(s)
	switch {
	case s.Sub == subExited:
	case old.group == nil:
		p.addUse(s)
	default:
		return old.group.read(s)
	}
	return p.err == nil
}

// get reads a property, nil where systemd does not have it or does not give it.
func (p *properties) get(of, name string) any {
	if p.err != nil {
		return nil
	}
	property, err := p.conn.GetUnitTypePropertyContext(p.ctx, p.id, of, name)
	if err != nil {
		if !refused(err) {
			p.err = err
		}
		return nil
	}
	return property.Value.Value()
}

// number reads a property. What is not set is the highest number there is.
func (p *properties) number(of, name string) (n uint64, ok bool) {
	switch value := p.get(of, name).(type) {
	case uint64:
		return value, value != math.MaxUint64
	case uint32:
		return uint64(value), true
	}
	return 0, false
}

// time reads a point in time, which is 0 where there was none.
func (p *properties) time(name string) time.Time {
	microseconds, ok := p.number(unitInterface, name)
	if !ok || microseconds == 0 || microseconds > math.MaxInt64 {
		return time.Time{}
	}
	return time.UnixMicro(int64(microseconds))
}

// addTimes tells since when the state lasts, by the same property as
// "systemctl status", and when the activation began.
func (p *properties) addTimes(s *Service) {
	var began time.Time
	switch s.State {
	case Active, Reloading:
		s.Since = p.time("ActiveEnterTimestamp")
		began = s.Since
	case Activating:
		s.Since = p.time("InactiveExitTimestamp")
		began = s.Since
	case Deactivating:
		s.Since = p.time("ActiveExitTimestamp")
		began = p.time("ActiveEnterTimestamp")
	default:
		s.Since = p.time("InactiveEnterTimestamp")
	}
	if !began.IsZero() {
		s.StartTime = &began
	}
}

// text reads a property that is a text, "" where there is none.
func (p *properties) text(of, name string) string {
	text, _ := p.get(of, name).(string)
	return text
}

// addMain tells the main process, and how often systemd has started it anew.
func (p *properties) addMain(s *Service) {
	if pid, ok := p.number(serviceInterface, "MainPID"); ok {
		s.MainPID = int(pid)
	}
	s.Restarts = p.optional("NRestarts")
}

// addUse tells what the service uses. Memory, processor time and tasks are
// unknown where systemd does not account for them.
func (p *properties) addUse(s *Service) {
	if s.State == Inactive || s.State == Failed {
		return
	}
	s.MemoryBytes = p.optional("MemoryCurrent")
	s.Tasks = p.optional("TasksCurrent")
	if nanoseconds := p.optional("CPUUsageNSec"); nanoseconds != nil {
		seconds := float64(*nanoseconds) / 1e9
		s.CPUSeconds = &seconds
	}
}

func (p *properties) optional(name string) *uint64 {
	n, ok := p.number(serviceInterface, name)
	if !ok {
		return nil
	}
	return &n
}
