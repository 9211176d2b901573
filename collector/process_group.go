package collector

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"server-monitor/internal/process"
)

var (
	groupProcesses = defineGroup("processes", prometheus.GaugeValue,
		"Processes of the group, zombies among them; 0 where it is empty.")
	groupCPU = defineGroup("cpu_seconds_total", prometheus.CounterValue,
		"Processor time that all members of the group have spent while they were in it, ended ones too, in seconds.")
	groupMemory = defineGroup("resident_memory_bytes", prometheus.GaugeValue,
		"Resident memory of all members of the group, in bytes; what they share counts for each.")
	groupThreads = defineGroup("threads", prometheus.GaugeValue,
		"Threads of all members of the group.")
	groupFDs = defineGroup("open_fds", prometheus.GaugeValue,
		"Open descriptors of those members of the group whose descriptors may be counted.")

	groupOverflows = define("process", "process_group_overflows_total",
		"Processes that were put into the group called other, as there was no room for a group of their own.", prometheus.CounterValue)
)

func defineGroup(name string, kind prometheus.ValueType, help string) metric {
	return define("process", "process_group_"+name, help, kind, "name", "user")
}

const (
	// otherGroup is where processes are that found no room. Its user is empty.
	otherGroup = "other"
	// groupRetention is how long a group stays known after its last member:
	// a counter that comes and goes with every run of a job is of no use.
	// It also bounds the series that somebody can make who runs programs of
	// ever new names, to one table full in that time.
	groupRetention = 24 * time.Hour
	// maxMissed is how many snapshots in a row may miss a process without it
	// being new when it is back.
	maxMissed = 3
)

// groupKey names a group by its labels, not by the names as they are: two
// names that are shown alike have one series.
type groupKey struct{ name, user string }

// group is the processes of one program that run for one user.
type group struct {
	key    groupKey
	labels *labels
	// micros is the processor time in microseconds. Whole numbers add up to
	// the same sum in whatever order.
	micros uint64
	// configured groups are never forgotten, and need no room.
	configured bool
	// emptySince is when the group was first seen without members.
	emptySince time.Time

	// The rest is of one snapshot.
	processes, missed, threads, openFDs int
	resident                            uint64
}

func newGroup(key groupKey) *group {
	return &group{key: key, labels: newLabels("name", key.name, "user", key.user)}
}

// groupTable keeps the groups from snapshot to snapshot.
type groupTable struct {
	// max bounds the groups that are not configured.
	max    int
	groups map[groupKey]*group
	// order holds the same groups in the order of their making.
	order []*group
	// ofUser counts the groups of a user, and taken those of all, both
	// without the configured ones.
	ofUser map[string]int
	taken  int
	// configured are the groups by configured name. The first of each has no
	// user and is published for as long as it is the only one.
	configured map[string][]*group
	// other is where processes are that found no room.
	other     *group
	otherUsed bool
	overflows uint64

	// members are ordered by pid, like the processes of a snapshot. The spare
	// list has room for those of the next one.
	members, spare []member
}

// maxConfiguredUsers is for how many users there is a group of one configured
// name: whoever has many user ids may run a program of that name for each.
const maxConfiguredUsers = 16

// member is a process of a group as the last snapshot saw it.
type member struct {
	process.Identity
	facts  *process.Facts
	group  *group
	micros uint64
	missed uint8
}

// newGroupTable makes a table with room for so many groups beside the
// configured ones.
func newGroupTable(limit int, configured []string) *groupTable {
	t := &groupTable{
		max: limit, groups: make(map[groupKey]*group), ofUser: make(map[string]int),
		configured: make(map[string][]*group), other: newGroup(groupKey{name: otherGroup}),
	}
	t.groups[t.other.key] = t.other
	for _, name := range configured {
		key := groupKey{name: label(name)}
		if key == t.other.key {
			t.used(t.other)
			continue
		}
		t.configured[key.name] = []*group{newGroup(key)}
	}
	return t
}

// observe takes over a snapshot: what each process has spent since the last
// one goes to its group.
func (t *groupTable) observe(s *process.Snapshot) {
	t.reset()
	next, old := t.spare[:0], t.members
	for i := range s.Processes {
		p := &s.Processes[i]
		for len(old) > 0 && old[0].PID < p.PID {
			next = keepMissed(next, &old[0])
			old = old[1:]
		}
		var last *member
		if len(old) > 0 && old[0].PID == p.PID {
			last, old = &old[0], old[1:]
		}
		if !p.Kernel {
			next = append(next, t.count(p, last))
		}
	}
	for i := range old {
		next = keepMissed(next, &old[i])
	}
	t.spare, t.members = t.members, next
	clear(t.spare) // lets go of the facts of what has ended
	t.forget(s.Taken)
}

// reset clears what is of one snapshot.
func (t *groupTable) reset() {
	for _, g := range t.order {
		g.processes, g.missed, g.threads, g.openFDs, g.resident = 0, 0, 0, 0, 0
	}
}

// keepMissed keeps a member that a snapshot has missed, for a while.
func keepMissed(next []member, m *member) []member {
	if m.missed++; m.missed > maxMissed {
		return next
	}
	m.group.missed++
	return append(next, *m)
}

// count adds a process to its group. last is the member of that pid as the
// last snapshot had it, nil without one.
func (t *groupTable) count(p *process.Process, last *member) member {
	m := member{Identity: p.Identity, facts: p.Facts, micros: micros(p.CPUSeconds)}
	spent := m.micros
	if last != nil && last.Identity == p.Identity {
		m.micros = max(m.micros, last.micros)
		spent = m.micros - last.micros
		m.group = t.regroup(p.Facts, last)
	} else {
		m.group = t.groupOf(p.Facts)
	}
	if m.group == t.other && (last == nil || last.group != t.other || last.Identity != p.Identity) {
		t.overflows++
	}
	g := m.group
	g.micros += spent
	g.processes++
	g.threads += p.Threads
	g.resident += p.ResidentBytes
	g.openFDs += max(p.OpenFDs, 0)
	return m
}

// micros converts seconds to microseconds; on Linux it loses nothing.
func micros(seconds float64) uint64 {
	if !(seconds > 0) { // also NaN
		return 0
	}
	return uint64(math.Round(min(seconds, 1e12) * 1e6))
}

// regroup finds the group of a known process. It is another one where the
// process runs another program or for another user by now, or where it was in
// the group other and there is room.
func (t *groupTable) regroup(facts *process.Facts, last *member) *group {
	same := last.facts == facts || last.facts.Name == facts.Name && last.facts.User == facts.User
	if same && (last.group != t.other || t.taken >= t.max) {
		return last.group
	}
	return t.groupOf(facts)
}

// groupOf finds the group of a program and user, or makes it; where there is no
// room that is the group other.
func (t *groupTable) groupOf(facts *process.Facts) *group {
	key := groupKey{label(facts.Name), label(facts.User)}
	if g := t.groups[key]; g != nil {
		return t.used(g)
	}
	if siblings := t.configured[key.name]; siblings != nil && len(siblings) <= maxConfiguredUsers {
		g := newGroup(key)
		g.configured = true
		t.configured[key.name] = append(siblings, g)
		return t.add(g)
	}
	if t.taken >= t.max || t.ofUser[key.user] >= t.maxOfUser() {
		return t.used(t.other)
	}
	t.taken++
	t.ofUser[key.user]++
	return t.add(newGroup(key))
}

// maxOfUser bounds the groups of one user, lest somebody fills the table and
// so hides what starts after him.
func (t *groupTable) maxOfUser() int { return max(1, t.max/2) }

// add takes in a group.
func (t *groupTable) add(g *group) *group {
	t.groups[g.key] = g
	t.order = append(t.order, g)
	return g
}

// used publishes the group other from its first member on.
func (t *groupTable) used(g *group) *group {
	if g == t.other && !t.otherUsed {
		t.otherUsed = true
		t.order = append(t.order, g)
	}
	return g
}

// forget drops groups that have been empty for long.
func (t *groupTable) forget(now time.Time) {
	kept := t.order[:0]
	for _, g := range t.order {
		switch {
		case g.processes > 0 || g.configured || g == t.other:
			g.emptySince = time.Time{}
		case g.emptySince.IsZero():
			g.emptySince = now
		case g.missed == 0 && now.Sub(g.emptySince) >= groupRetention:
			t.drop(g)
			continue
		}
		kept = append(kept, g)
	}
	clear(t.order[len(kept):])
	t.order = kept
}

// drop gives the room of a group back.
func (t *groupTable) drop(g *group) {
	delete(t.groups, g.key)
	t.taken--
	if t.ofUser[g.key.user]--; t.ofUser[g.key.user] == 0 {
		delete(t.ofUser, g.key.user)
	}
}

// send publishes all groups.
func (t *groupTable) send(ch chan<- prometheus.Metric) {
	samples := make([]sample, 0, groupFamilies*(len(t.order)+len(t.configured)))
	for _, g := range t.order {
		samples = g.appendTo(samples)
	}
	for _, groups := range t.configured {
		if len(groups) == 1 {
			samples = groups[0].appendTo(samples)
		}
	}
	for i := range samples {
		ch <- &samples[i]
	}
	groupOverflows.send(ch, float64(t.overflows))
}

// groupFamilies is how many samples a group has.
const groupFamilies = 5

func (g *group) appendTo(samples []sample) []sample {
	return append(samples,
		sample{groupProcesses, g.labels, float64(g.processes)},
		sample{groupCPU, g.labels, float64(g.micros) / 1e6},
		sample{groupMemory, g.labels, float64(g.resident)},
		sample{groupThreads, g.labels, float64(g.threads)},
		sample{groupFDs, g.labels, float64(g.openFDs)},
	)
}
