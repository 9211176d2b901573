package collector

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

// pidsOf lists the pids of the rows of an inventory, in the order in which
// they were chosen.
func pidsOf(t *rowTable, i *inventory.Inventory) []int {
	t.observe(i)
	var pids []int
	for _, r := range t.order {
		pids = append(pids, r.process.PID)
	}
	return pids
}

func TestWorthRow(t *testing.T) {
	uses := func(bytes uint64) func(*judged) { return func(j *judged) { j.ResidentBytes = bytes } }
	const threshold = testMemory / 4
	config := testConfig()
	config.MemoryThreshold = 0.25
	cases := []struct {
		name string
		j    judged
		want bool
	}{
		{"harmless", tool(7), false},
		{"caution", tool(7, found(risk.Caution)), true},
		{"danger", tool(7, found(risk.Dangerous)), true},
		{"a warning that is expected", tool(7, found(risk.Safe, risk.Warning{Code: risk.RunningAsRoot, Expected: true})), false},
		{"listens on loopback", tool(7, listening(process.TCP, "127.0.0.1:80", "[::1]:80")), false},
		{"listens in a private network", tool(7, listening(process.TCP, "127.0.0.1:80", "192.168.0.1:80")), true},
		{"listens everywhere", tool(7, listening(process.UDP, "[::]:53")), true},
		{"just below the threshold", tool(7, uses(threshold-1)), false},
		{"at the threshold", tool(7, uses(threshold)), true},
		{"not judged", tool(7, uses(testMemory), func(j *judged) { *j.assessment = risk.Assessment{Excluded: true} }), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rows := pidsOf(newRowTable(config), inventoryOf(testBegin, c.j))
			if got := len(rows) == 1; got != c.want {
				t.Errorf("worth a row: %v, want %v", got, c.want)
			}
		})
	}
	t.Run("memory is not known", func(t *testing.T) {
		i := inventoryOf(testBegin, tool(7), tool(8, found(risk.Caution)))
		i.MemoryTotal = 0
		if rows := pidsOf(newRowTable(testConfig()), i); !slices.Equal(rows, []int{8}) {
			t.Errorf("rows %v", rows)
		}
	})
}

// began sets when a process started.
func began(ticks uint64) func(*judged) { return func(j *judged) { j.StartTicks = ticks } }

func TestRowsBound(t *testing.T) {
	all := []judged{
		tool(1, found(risk.Caution), began(1)), tool(2, found(risk.Dangerous), began(50)), tool(3, listening(process.TCP, "0.0.0.0:80"), began(0)),
		tool(4, found(risk.Dangerous), began(40)), tool(5, found(risk.Caution), began(2)), tool(6, found(risk.Dangerous), began(40)), tool(7),
	}
	cases := map[int][]int{
		0: nil, 1: {4}, 2: {4, 6}, 3: {4, 6, 2}, 4: {4, 6, 2, 1}, 5: {4, 6, 2, 1, 5},
	}
	for limit, want := range cases {
		config := testConfig()
		config.MaxPIDs = limit
		table := newRowTable(config)
		got := pidsOf(table, inventoryOf(testBegin, slices.Clone(all)...))
		if !slices.Equal(got, want) || table.omitted != 6-limit {
			t.Errorf("at most %d: %v and %d omitted, want %v", limit, got, table.omitted, want)
		}
	}
	config := testConfig()
	config.MaxPIDs = 2
	scraped := families(t, collecting(config).of(all...))
	wantSeries(t, scraped, "process_pids_omitted", map[string]float64{"": 4})
	wantSeries(t, scraped, "process_group_processes", map[string]float64{`name="tool",user="alice"`: 7})
}

// TestRowsStable checks that what is published of a crowd does not depend on
// who else comes: as long as a process that has a row lives and is judged
// alike, it keeps the row, whatever uses more or starts later.
func TestRowsStable(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	config := testConfig()
	config.MaxPIDs = 10
	table := newRowTable(config)
	var all []judged
	for pid := range 40 {
		all = append(all, tool(1000+2*pid, found(risk.Dangerous), began(uint64(random.IntN(5)))))
	}
	var first []int
	for round := range 100 {
		for i := range all {
			all[i].CPUSeconds += random.Float64()
			all[i].ResidentBytes = random.Uint64N(testMemory)
		}
		young := tool(901+2*random.IntN(100), found(risk.Dangerous), began(uint64(2000+round)))
		got := pidsOf(table, inventoryOf(testBegin, append(slices.Clone(all), young)...))
		if first == nil {
			first = got
		}
		if !slices.Equal(got, first) {
			t.Fatalf("round %d: %v instead of %v", round, got, first)
		}
	}
}

func TestRowPorts(t *testing.T) {
	c := collecting(testConfig()).of(tool(7,
		listening(process.TCP, "0.0.0.0:45454", "[::]:45454", "192.0.2.1:45454", "127.0.0.1:45454", "10.0.0.1:45454", "10.0.0.2:45454", "127.0.0.1:6379"),
		listening(process.UDP, "0.0.0.0:45454"),
	))
	wantSeries(t, families(t, c), "process_listen_port", map[string]float64{
		`name="tool",pid="7",port="45454",port_name="",protocol="tcp",scope="public"`:       1,
		`name="tool",pid="7",port="45454",port_name="",protocol="tcp",scope="private"`:      1,
		`name="tool",pid="7",port="45454",port_name="",protocol="tcp",scope="loopback"`:     1,
		`name="tool",pid="7",port="45454",port_name="",protocol="udp",scope="public"`:       1,
		`name="tool",pid="7",port="6379",port_name="redis",protocol="tcp",scope="loopback"`: 1,
	})
}

// TestRowPortsBound has a process listen on more ports than anybody can read.
// What can be reached from farthest is kept.
func TestRowPortsBound(t *testing.T) {
	var addresses []string
	for port := 2000; port < 3000; port++ {
		addresses = append(addresses, fmt.Sprint("127.0.0.1:", port))
	}
	addresses = append(addresses, "0.0.0.0:60001", "0.0.0.0:60000", "10.0.0.1:50000")
	all := families(t, collecting(testConfig()).of(tool(7, listening(process.TCP, addresses...))))
	ports := labelValues(all["process_listen_port"], "port")
	if len(ports) != maxPorts || !slices.Contains(ports, "60001") || !slices.Contains(ports, "50000") || !slices.Contains(ports, "2000") {
		t.Errorf("%d ports: %v", len(ports), ports)
	}
	wantSeries(t, all, "process_listen_ports_omitted", map[string]float64{"": 1003 - maxPorts})
}

func TestRowWarnings(t *testing.T) {
	path := func(subject string, expected bool) risk.Warning {
		return risk.Warning{Code: risk.SuspiciousPath, Severity: risk.Danger, Subject: subject, Expected: expected}
	}
	all := families(t, collecting(testConfig()).of(tool(7, found(risk.Dangerous,
		risk.Warning{Code: risk.PublicPort, Severity: risk.Warn, Subject: "22", Scope: process.Public},
		risk.Warning{Code: risk.PublicPort, Severity: risk.Warn, Subject: "22", Scope: process.Private},
		path("a\nb", false), path(`a\nb`, false), path("a\nb", true), risk.Warning{Code: risk.RunningAsRoot, Severity: risk.Warn},
	))))
	wantSeries(t, all, "process_warning", map[string]float64{
		`expected="false",name="tool",pid="7",severity="warn",subject="22",warning="PUBLIC_PORT"`:          1,
		`expected="false",name="tool",pid="7",severity="danger",subject="a\\nb",warning="SUSPICIOUS_PATH"`: 1,
		`expected="true",name="tool",pid="7",severity="danger",subject="a\\nb",warning="SUSPICIOUS_PATH"`:  1,
		`expected="false",name="tool",pid="7",severity="warn",subject="",warning="RUNNING_AS_ROOT"`:        1,
	})
	wantSeries(t, all, "process_verdict", map[string]float64{`name="tool",pid="7"`: 2})
	var many []risk.Warning
	for n := range 1000 {
		many = append(many, risk.Warning{Code: risk.SystemPort, Subject: strconv.Itoa(n)})
	}
	all = families(t, collecting(testConfig()).of(tool(7, found(risk.Dangerous, many...))))
	if n := len(all["process_warning"].GetMetric()); n != maxWarnings {
		t.Errorf("%d warnings", n)
	}
	wantSeries(t, all, "process_warnings_omitted", map[string]float64{"": 1000 - maxWarnings})
}

// infoOf are the labels of the only row.
func infoOf(t *testing.T, config ProcessConfig, all ...judged) map[string]string {
	t.Helper()
	metrics := families(t, collecting(config).of(all...))["process_info"].GetMetric()
	if len(metrics) != 1 {
		t.Fatalf("%d rows", len(metrics))
	}
	labels := map[string]string{}
	for _, l := range metrics[0].GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	return labels
}

func TestRowInfo(t *testing.T) {
	server := tool(7, named("redis-server"), of("redis"), found(risk.Dangerous), func(j *judged) {
		j.Exe, j.Unit, j.UID = "/usr/bin/redis-server", "redis.service", 991
		j.assessment.Document = &policy.Document{
			Name: "redis-server", Category: "cache", Description: "In-memory store",
			DescriptionI18n: map[string]string{"en": "In-memory store", "ko": "메모리 저장소"},
			Policy:          policy.Policy{IsSystem: true, Terminatable: true},
		}
	})
	want := map[string]string{
		"pid": "7", "identity": "7-1007-0123abcd", "name": "redis-server", "user": "redis", "exe": "/usr/bin/redis-server",
		"unit": "redis.service", "category": "cache", "known": "true", "protected": "true", "terminatable": "false",
		"verdict": "danger", "description": "In-memory store",
	}
	config := testConfig()
	config.Terminatable = func(p *process.Process, _ *risk.Assessment, i *inventory.Inventory) bool {
		return i.Process(p.PID) != p
	}
	if diff := cmp.Diff(want, infoOf(t, config, server)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	config.Language = language.Korean
	want["description"] = "메모리 저장소"
	if diff := cmp.Diff(want, infoOf(t, config, server)); diff != "" {
		t.Errorf("in Korean (-want +got):\n%s", diff)
	}
}

func TestTerminatableByPolicy(t *testing.T) {
	unknown := func(j *judged) { j.assessment.Document = nil }
	document := func(name string) func(*judged) {
		return func(j *judged) { j.Name, j.assessment.Document = name, testPolicy.Named(name)[0] }
	}
	uid := func(uid int) func(*judged) { return func(j *judged) { j.UID = uid } }
	cases := []struct {
		name                    string
		j                       judged
		protected, terminatable string
	}{
		{"allowed", tool(7, document("tool")), "false", "true"},
		{"allowed and root's", tool(7, document("tool"), uid(0)), "false", "true"},
		{"forbidden", tool(7, document("guarded")), "true", "false"},
		{"a system process", tool(7, document("core")), "true", "false"},
		{"known, but calls itself a forbidden one", tool(7, document("tool"), func(j *judged) { j.Comm = "guarded" }), "true", "false"},
		{"unknown", tool(7, unknown), "false", "true"},
		{"unknown, but calls itself a forbidden one", tool(7, unknown, func(j *judged) { j.Argv0 = "/usr/bin/guarded" }), "true", "false"},
		{"unknown and root's", tool(7, unknown, uid(0)), "false", "false"},
		{"unknown without a uid", tool(7, unknown, uid(-1)), "false", "false"},
		{"unknown service", tool(7, unknown, func(j *judged) { j.Slice = "system.slice" }), "false", "false"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.j.assessment.Verdict = risk.Dangerous
			got := infoOf(t, testConfig(), c.j)
			if got["protected"] != c.protected || got["terminatable"] != c.terminatable {
				t.Errorf("protected %s, terminatable %s; want %s, %s", got["protected"], got["terminatable"], c.protected, c.terminatable)
			}
		})
	}
	excluded := tool(7, func(j *judged) { *j.assessment = risk.Assessment{Excluded: true} })
	if !protected(excluded.assessment, nil, policy.Subject{}) || terminatableByPolicy(&excluded.Process, excluded.assessment, nil) {
		t.Error("a process that is not judged must be protected")
	}
}

func TestRowAutoTerminate(t *testing.T) {
	set := policy.NewSet(policy.Linux,
		policy.Document{Name: "runaway", Platform: policy.Linux, AutoTerminate: true, Policy: policy.Policy{Terminatable: true}},
		policy.Document{Name: "tool", Platform: policy.Linux, Policy: policy.Policy{Terminatable: true}},
	)
	trusted := func(j *judged) { j.File.Trusted = true }
	cases := []struct {
		name string
		j    judged
		may  bool // by the guards
		want map[string]float64
	}{
		{"marked", tool(7, named("runaway"), trusted), true, map[string]float64{`name="runaway",pid="7"`: 1}},
		{"marked, but guarded", tool(7, named("runaway"), trusted), false, map[string]float64{}},
		{"the name may be forged", tool(7, named("runaway")), true, map[string]float64{}},
		{"not marked", tool(7, trusted), true, map[string]float64{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.j.assessment.Verdict = risk.Caution
			config := testConfig()
			config.Terminatable = func(*process.Process, *risk.Assessment, *inventory.Inventory) bool { return c.may }
			i := inventoryOf(testBegin, c.j)
			i.Policy = set
			all := families(t, newProcess(func(context.Context) (*inventory.Inventory, error) { return i, nil }, config, slog.New(slog.DiscardHandler)))
			wantSeries(t, all, "process_auto_terminate", c.want)
		})
	}
}

// TestRowKept checks that a row is made again when anything changes that it is
// made from, and only then.
func TestRowKept(t *testing.T) {
	may := false
	config := testConfig()
	config.Terminatable = func(*process.Process, *risk.Assessment, *inventory.Inventory) bool { return may }
	table := newRowTable(config)
	parent, child := tool(3), tool(7, found(risk.Caution), func(j *judged) { j.PPID = 3 })
	take := func() *row {
		t.Helper()
		table.observe(inventoryOf(testBegin, parent, child))
		if len(table.order) != 1 {
			t.Fatalf("%d rows", len(table.order))
		}
		return table.order[0]
	}
	last := take()
	cases := []struct {
		name   string
		change func()
		kept   bool
	}{
		{"nothing", func() {}, true},
		{"figures", func() { child.CPUSeconds, child.Threads, child.ResidentBytes = 9, 9, 9 }, true},
		{"revision", func() { child.Revision++ }, false},
		{"identity", func() { child.StartTicks++ }, false},
		{"assessment", func() { a := *child.assessment; child.assessment = &a }, false},
		{"leave to end it", func() { may = true; child.ResidentBytes++ }, false}, // which nobody asks about a process that is as it was
		{"nothing after that", func() {}, true},
		{"figures of the parent", func() { parent.CPUSeconds++ }, true},
		{"parent", func() { parent.Revision++ }, false},
		{"another parent", func() { child.PPID = 1; child.Revision++ }, false},
		{"the end of somebody else", func() { parent.Kernel = true }, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.change()
			now := take()
			if kept := now == last; kept != c.kept {
				t.Errorf("kept: %v, want %v", kept, c.kept)
			}
			last = now
		})
	}
	table.observe(inventoryOf(testBegin))
	if len(table.rows) != 0 || len(table.spare) != 0 || len(table.order) != 0 {
		t.Error("rows of what has ended are kept")
	}
}

// TestRowFigures checks the figures by pid against those of the process.
func TestRowFigures(t *testing.T) {
	all := families(t, collecting(testConfig()).of(tool(7, found(risk.Caution), func(j *judged) {
		j.CPUSeconds, j.ResidentBytes, j.Threads = 12.34, testMemory/4, 6
	})))
	got := map[string]float64{}
	for _, family := range rowFamilyNames {
		for _, value := range maps.All(seriesOf(all[family])) {
			got[family] = value
		}
	}
	want := map[string]float64{
		"process_info": 1, "process_verdict": 1, "process_cpu_seconds_total": 12.34, "process_resident_memory_bytes": testMemory / 4,
		"process_memory_ratio": 0.25, "process_start_time_seconds": 1_799_996_400, "process_threads": 6,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
