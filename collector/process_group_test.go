package collector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"server-monitor/internal/process"
)

// groupsOf are the figures of the groups of a table that tests look at, by
// "name user".
func groupsOf(t *groupTable) map[string][2]float64 {
	figures := map[string][2]float64{}
	for _, g := range t.order {
		figures[g.key.name+" "+g.key.user] = [2]float64{float64(g.processes), float64(g.micros) / 1e6}
	}
	return figures
}

// spent sets the processor time of a process.
func spent(seconds float64) func(*judged) { return func(j *judged) { j.CPUSeconds = seconds } }

// again is a process with another start time: one that has taken over a pid.
func again(j *judged) { j.StartTicks += 5000 }

func TestGroups(t *testing.T) {
	steps := []struct {
		name string
		all  []judged
		want map[string][2]float64
	}{
		{"all that was spent before counts", []judged{tool(7, spent(5)), tool(8, spent(0.25)), tool(9, of("bob"), spent(1))},
			map[string][2]float64{"tool alice": {2, 5.25}, "tool bob": {1, 1}}},
		{"more is spent", []judged{tool(7, spent(6)), tool(8, spent(0.5)), tool(9, of("bob"), spent(1))},
			map[string][2]float64{"tool alice": {2, 6.5}, "tool bob": {1, 1}}},
		{"a member ends", []judged{tool(8, spent(0.5)), tool(9, of("bob"), spent(1))},
			map[string][2]float64{"tool alice": {1, 6.5}, "tool bob": {1, 1}}},
		{"a pid is used again", []judged{tool(8, again, spent(0.1)), tool(9, of("bob"), spent(1))},
			map[string][2]float64{"tool alice": {1, 6.6}, "tool bob": {1, 1}}},
		{"a pid is used again by somebody else", []judged{tool(8, again, again, of("bob"), spent(2)), tool(9, of("bob"), spent(1))},
			map[string][2]float64{"tool alice": {0, 6.6}, "tool bob": {2, 3}}},
		{"another program is executed", []judged{tool(8, again, again, of("bob"), named("shell"), spent(2.5)), tool(9, of("bob"), spent(1))},
			map[string][2]float64{"tool alice": {0, 6.6}, "tool bob": {1, 3}, "shell bob": {1, 0.5}}},
		{"a count steps back", []judged{tool(9, of("bob"), spent(0.5))},
			map[string][2]float64{"tool alice": {0, 6.6}, "tool bob": {1, 3}, "shell bob": {0, 0.5}}},
		{"and catches up", []judged{tool(9, of("bob"), spent(1.5))},
			map[string][2]float64{"tool alice": {0, 6.6}, "tool bob": {1, 3.5}, "shell bob": {0, 0.5}}},
		{"a snapshot had missed one", []judged{tool(8, again, again, of("bob"), named("shell"), spent(3)), tool(9, of("bob"), spent(1.5))},
			map[string][2]float64{"tool alice": {0, 6.6}, "tool bob": {1, 3.5}, "shell bob": {1, 1}}},
		{"kernel threads are in no group", []judged{tool(9, func(j *judged) { j.Kernel = true })},
			map[string][2]float64{"tool alice": {0, 6.6}, "tool bob": {0, 3.5}, "shell bob": {0, 1}}},
		{"nothing is left", nil,
			map[string][2]float64{"tool alice": {0, 6.6}, "tool bob": {0, 3.5}, "shell bob": {0, 1}}},
	}
	table := newGroupTable(100, nil)
	for i, s := range steps {
		table.observe(inventoryOf(testBegin.Add(time.Duration(i)*time.Minute), s.all...).Snapshot)
		if diff := cmp.Diff(s.want, groupsOf(table)); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}

func TestGroupFigures(t *testing.T) {
	big := func(j *judged) { j.Threads, j.ResidentBytes, j.OpenFDs = 8, 5<<20, -1 }
	all := families(t, collecting(testConfig()).of(tool(7), tool(8, big)))
	for family, want := range map[string]float64{
		"processes": 2, "cpu_seconds_total": 2, "resident_memory_bytes": 6 << 20, "threads": 9, "open_fds": 3,
	} {
		wantSeries(t, all, "process_group_"+family, map[string]float64{`name="tool",user="alice"`: want})
	}
}

// TestGroupCountersNeverFall follows random processes with births, deaths,
// pids that are used again, executions, changes of user, counts that step back
// and snapshots that miss processes. No counter falls, and together they are
// exactly what all processes that ever were have spent.
func TestGroupCountersNeverFall(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			table := newGroupTable(6, []string{"tool1"})
			world := &groupWorld{random: random, spent: map[process.Identity]uint64{}}
			last := map[string][2]float64{}
			for round := range 400 {
				seen := world.step()
				table.observe(inventoryOf(testBegin.Add(time.Duration(round)*time.Second), seen...).Snapshot)
				now := groupsOf(table)
				for name, figures := range last {
					if now[name][1] < figures[1] {
						t.Fatalf("round %d: %s fell from %v to %v", round, name, figures[1], now[name][1])
					}
				}
				last = now
				var members, total uint64
				for _, g := range table.order {
					members += uint64(g.processes)
					total += g.micros
				}
				if members != uint64(len(seen)) || total != world.total() {
					t.Fatalf("round %d: %d members of %d, %d µs of %d", round, members, len(seen), total, world.total())
				}
			}
		})
	}
}

// groupWorld is a machine with random processes.
type groupWorld struct {
	random *rand.Rand
	alive  []judged
	hidden map[process.Identity]int // for how many snapshots more
	spent  map[process.Identity]uint64
	births uint64
}

// step lets time pass and returns what a snapshot sees.
func (w *groupWorld) step() []judged {
	w.alive = slices.DeleteFunc(w.alive, func(judged) bool { return w.random.IntN(12) == 0 })
	for i := range w.alive {
		j := &w.alive[i]
		j.CPUSeconds += float64(w.random.IntN(300)) / 100
		if w.random.IntN(15) == 0 {
			w.rename(j)
		}
	}
	for range w.random.IntN(6) {
		w.bear()
	}
	return w.look()
}

func (w *groupWorld) rename(j *judged) {
	facts := *j.Facts
	facts.Name, facts.User = fmt.Sprint("tool", w.random.IntN(6)), fmt.Sprint("user", w.random.IntN(3))
	j.Facts = &facts
}

// bear starts a process under a pid that is free.
func (w *groupWorld) bear() {
	pid := 1 + w.random.IntN(60)
	if slices.ContainsFunc(w.alive, func(j judged) bool { return j.PID == pid }) {
		return
	}
	w.births++
	j := tool(pid, spent(float64(w.random.IntN(100))/100))
	j.StartTicks = w.births
	w.rename(&j)
	w.alive = append(w.alive, j)
}

// look sees the living, but for some that it misses for a few snapshots, and
// now and then a count that is less than it was.
func (w *groupWorld) look() []judged {
	var seen []judged
	missed := map[process.Identity]int{}
	for _, j := range w.alive {
		left, back := w.hidden[j.Identity]
		if !back && w.random.IntN(20) == 0 && w.spent[j.Identity] > 0 {
			left = 1 + w.random.IntN(maxMissed)
		}
		if left > 0 {
			missed[j.Identity] = left - 1
			continue
		}
		if w.random.IntN(20) == 0 {
			j.CPUSeconds = max(0, j.CPUSeconds-1)
		}
		w.spent[j.Identity] = max(w.spent[j.Identity], micros(j.CPUSeconds))
		seen = append(seen, j)
	}
	w.hidden = missed
	return seen
}

// total is what all processes that were ever seen have spent.
func (w *groupWorld) total() uint64 {
	var total uint64
	for _, micros := range w.spent {
		total += micros
	}
	return total
}

// TestGroupBound has a user run programs of ever new names.
func TestGroupBound(t *testing.T) {
	table := newGroupTable(10, nil)
	now := testBegin
	scrape := func(all ...judged) {
		now = now.Add(time.Minute)
		table.observe(inventoryOf(now, all...).Snapshot)
	}
	daemon := tool(1, named("daemon"), of("root"))
	for n := range 200 {
		scrape(daemon, tool(100+n, named(fmt.Sprint("evil", n)), of("mallory"), spent(1)))
	}
	if len(table.order) != 7 || table.groups[groupKey{"evil4", "mallory"}] == nil || table.groups[groupKey{"evil5", "mallory"}] != nil {
		t.Errorf("groups %v, want daemon, five of mallory and other", groupsOf(table))
	}
	if other := groupsOf(table)["other "]; other != [2]float64{1, 195} || table.overflows != 195 {
		t.Errorf("other is %v, %d overflows", other, table.overflows)
	}
	// Others still find room.
	scrape(daemon, tool(500, named("backup"), of("root")))
	if groupsOf(table)["backup root"][0] != 1 {
		t.Errorf("groups %v", groupsOf(table))
	}
	// A process in the group other gets one of its own once there is room.
	late := tool(501, named("late"), of("mallory"), spent(3))
	scrape(daemon, late)
	if groupsOf(table)["other "] != [2]float64{1, 198} {
		t.Errorf("groups %v", groupsOf(table))
	}
	for range maxMissed {
		scrape(daemon, late)
	}
	now = now.Add(groupRetention)
	scrape(daemon, late)
	late.CPUSeconds = 4.5
	scrape(daemon, late)
	want := map[string][2]float64{"daemon root": {1, 1}, "other ": {0, 198}, "late mallory": {1, 1.5}}
	if diff := cmp.Diff(want, groupsOf(table)); diff != "" {
		t.Errorf("a day later (-want +got):\n%s", diff)
	}
	if table.taken != 2 || len(table.ofUser) != 2 || len(table.groups) != 3 {
		t.Errorf("%d taken, users %v, groups %v", table.taken, table.ofUser, table.groups)
	}
}

// TestGroupNamedOther has a program bear the name of the overflow, for a user
// without a name as there may be on Windows.
func TestGroupNamedOther(t *testing.T) {
	config := testConfig()
	config.MaxGroups, config.Groups = 1, []string{otherGroup}
	all := families(t, collecting(config).of(
		tool(7, named(otherGroup), of("")), tool(8, named("first")), tool(9, named("second")),
	))
	wantSeries(t, all, "process_group_processes", map[string]float64{`name="other",user=""`: 2, `name="first",user="alice"`: 1})
}

// TestGroupConfigured follows a group that must be there whoever runs.
func TestGroupConfigured(t *testing.T) {
	config := testConfig()
	config.Groups, config.MaxGroups = []string{"web", "db"}, 1
	c := collecting(config)
	scrape := func(after time.Duration, want map[string]float64, all ...judged) {
		t.Helper()
		c.now = inventoryOf(testBegin.Add(after), all...)
		wantSeries(t, families(t, c), "process_group_processes", want)
	}
	const absent, web, db, tools = `name="web",user=""`, `name="web",user="www"`, `name="db",user=""`, `name="tool",user="alice"`
	scrape(0, map[string]float64{absent: 0, db: 0, tools: 1}, tool(7))
	scrape(time.Minute, map[string]float64{web: 2, db: 0, tools: 1}, tool(7), tool(8, named("web"), of("www")), tool(9, named("web"), of("www")))
	scrape(time.Hour, map[string]float64{web: 0, db: 0, tools: 1}, tool(7))
	scrape(100*groupRetention, map[string]float64{web: 0, db: 0, tools: 1}, tool(7))
	for n := range maxMissed {
		scrape(100*groupRetention+time.Duration(n+1)*time.Minute, map[string]float64{web: 0, db: 0, tools: 0})
	}
	scrape(102*groupRetention, map[string]float64{web: 0, db: 0})
	// Many users cannot fill the table through a configured name.
	var all []judged
	for n := range 100 {
		all = append(all, tool(100+n, named("web"), of(fmt.Sprint("user", n))))
	}
	c.now = inventoryOf(testBegin.Add(103*groupRetention), all...)
	if n := len(families(t, c)["process_group_processes"].GetMetric()); n != maxConfiguredUsers+1+2 {
		t.Errorf("%d groups", n) // the configured ones, one that fits the bound, db and other
	}
}

// TestGroupForgets keeps an empty group for a day, and from the next member on
// for another one.
func TestGroupForgets(t *testing.T) {
	const begin = 2 * groupRetention
	table := newGroupTable(10, nil)
	steps := []struct {
		after time.Duration
		all   []judged
		want  bool
	}{
		{0, []judged{tool(7)}, true},
		{time.Hour, nil, true},
		{groupRetention, nil, true},
		{begin, []judged{tool(7, again)}, true},
		{begin + time.Hour, nil, true},
		{begin + 2*time.Hour, nil, true},
		{begin + 3*time.Hour, nil, true},
		{begin + time.Hour + groupRetention - time.Second, nil, true},
		{begin + time.Hour + groupRetention, nil, false},
	}
	for _, s := range steps {
		table.observe(inventoryOf(testBegin.Add(s.after), s.all...).Snapshot)
		if _, ok := groupsOf(table)["tool alice"]; ok != s.want {
			t.Errorf("after %v the group is known: %v, want %v", s.after, ok, s.want)
		}
	}
	if len(table.groups) != 1 || table.taken != 0 || len(table.members) != 0 {
		t.Errorf("left are %v, %d taken, %d members", table.groups, table.taken, len(table.members))
	}
}

// TestGroupOutlivesGap has the snapshots of days miss a process. Its group is
// kept until it is certain that it is gone.
func TestGroupOutlivesGap(t *testing.T) {
	table := newGroupTable(10, nil)
	for day, all := range [][]judged{{tool(7, spent(5))}, nil, nil, nil, {tool(7, spent(6))}} {
		table.observe(inventoryOf(testBegin.Add(time.Duration(day)*groupRetention), all...).Snapshot)
	}
	if diff := cmp.Diff(map[string][2]float64{"tool alice": {1, 6}}, groupsOf(table)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMicros(t *testing.T) {
	for seconds, want := range map[float64]uint64{
		0: 0, 0.01: 10_000, 0.29: 290_000, 1234567.89: 1_234_567_890_000, -1: 0, math.Inf(1): 1e18, math.Inf(-1): 0,
	} {
		if got := micros(seconds); got != want {
			t.Errorf("micros(%v) = %d, want %d", seconds, got, want)
		}
	}
	if got := micros(math.NaN()); got != 0 {
		t.Errorf("micros(NaN) = %d", got)
	}
}
