package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

// testMemory is the memory of the machine of hand-made inventories.
const testMemory = 1 << 30

// testPolicy is of hand-made inventories, too. The judgements do not come from it.
var testPolicy = policy.NewSet(policy.Linux,
	policy.Document{Name: "guarded", Platform: policy.Linux},
	policy.Document{Name: "core", Platform: policy.Linux, Policy: policy.Policy{IsSystem: true, Terminatable: true}},
	policy.Document{Name: "tool", Platform: policy.Linux, Policy: policy.Policy{Terminatable: true}},
)

// testBegin is when their first snapshot was taken.
var testBegin = time.Unix(1_800_000_000, 0)

// judged is a process with the judgement that a test wants.
type judged struct {
	process.Process
	assessment *risk.Assessment
}

// tool is a harmless process of alice that policy knows.
func tool(pid int, change ...func(*judged)) judged {
	j := judged{
		Process: process.Process{
			Identity: process.Identity{PID: pid, StartTicks: uint64(1000 + pid), Boot: "0123abcd"},
			PPID:     1, State: process.Sleeping, CPUSeconds: 1, ResidentBytes: 1 << 20, Threads: 1, OpenFDs: 3,
			StartTime: testBegin.Add(-time.Hour), Revision: 1,
			Facts: &process.Facts{Name: "tool", Exe: "/usr/bin/tool", UID: 1000, User: "alice", Slice: "user.slice"},
		},
		assessment: &risk.Assessment{Document: &policy.Document{
			Name: "tool", Category: "utility", Description: "A tool", Policy: policy.Policy{Terminatable: true},
		}},
	}
	for _, c := range change {
		c(&j)
	}
	return j
}

func named(name string) func(*judged) { return func(j *judged) { j.Name = name } }
func of(user string) func(*judged)    { return func(j *judged) { j.User = user } }
func found(v risk.Verdict, warnings ...risk.Warning) func(*judged) {
	return func(j *judged) { j.assessment.Verdict, j.assessment.Warnings = v, warnings }
}
func listening(protocol process.Protocol, addresses ...string) func(*judged) {
	return func(j *judged) {
		for _, a := range addresses {
			j.Listen = append(j.Listen, process.Socket{Protocol: protocol, Addr: netip.MustParseAddrPort(a)})
		}
	}
}

// inventoryOf makes an inventory of processes, which it orders by pid.
func inventoryOf(taken time.Time, all ...judged) *inventory.Inventory {
	slices.SortFunc(all, func(a, b judged) int { return a.PID - b.PID })
	i := &inventory.Inventory{
		Snapshot: &process.Snapshot{
			Taken: taken, MemoryTotal: testMemory, Denied: map[string]uint64{"exe": 2, "sockets": 0}, UnownedSockets: 4, Hidden: 3,
		},
		Policy: testPolicy,
	}
	for _, j := range all {
		i.Processes = append(i.Processes, j.Process)
		i.Assessments = append(i.Assessments, j.assessment)
	}
	return i
}

// testConfig is the default configuration.
func testConfig() ProcessConfig {
	return ProcessConfig{
		MemoryThreshold: DefaultMemoryThreshold, MaxPIDs: DefaultMaxPIDs, MaxGroups: DefaultMaxGroups, Language: language.English,
	}
}

// collects is a process collector that is given its inventories by hand.
type collects struct {
	*processCollector
	now *inventory.Inventory
}

func collecting(config ProcessConfig) *collects {
	c := &collects{}
	c.processCollector = newProcess(func(context.Context) (*inventory.Inventory, error) {
		if c.now == nil {
			return nil, errors.New("nothing there")
		}
		return c.now, nil
	}, config, discard())
	return c
}

// of gives the collector an inventory.
func (c *collects) of(all ...judged) *collects {
	c.now = inventoryOf(testBegin, all...)
	return c
}

// families scrapes a collector and checks that the text of the scrape reads back
// as what it was made from.
func families(t testing.TB, c Collector) map[string]*dto.MetricFamily {
	t.Helper()
	byName := gathered(t, c)
	var text bytes.Buffer
	for _, f := range byName {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(&text)
	if err != nil {
		t.Fatalf("the exposition does not parse: %v", err)
	}
	for short, f := range byName {
		if got, want := seriesOf(parsed[f.GetName()]), seriesOf(f); !maps.Equal(got, want) {
			t.Fatalf("%s changed on its way through text: %v", short, cmp.Diff(want, got))
		}
	}
	return byName
}

// gathered scrapes a collector through a registry that checks all it can. The
// names are without the namespace.
func gathered(t testing.TB, c Collector) map[string]*dto.MetricFamily {
	t.Helper()
	metrics, err := gather(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(ready(metrics))
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, f := range all {
		byName[strings.TrimPrefix(f.GetName(), namespace+"_")] = f
	}
	return byName
}

// ready are metrics that were collected already.
type ready []prometheus.Metric

func (ready) Describe(chan<- *prometheus.Desc) {}

func (r ready) Collect(ch chan<- prometheus.Metric) {
	for _, m := range r {
		ch <- m
	}
}

// seriesOf are the values of a family by its labels in the form of the text,
// without the braces.
func seriesOf(f *dto.MetricFamily) map[string]float64 {
	series := map[string]float64{}
	for _, m := range f.GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
		series[strings.Join(labels, ",")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return series
}

// wantSeries compares one family of a scrape.
func wantSeries(t *testing.T, all map[string]*dto.MetricFamily, family string, want map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, seriesOf(all[family])); diff != "" {
		t.Errorf("%s (-want +got):\n%s", family, diff)
	}
}

// labelValues lists the values of one label in a family, each once.
func labelValues(f *dto.MetricFamily, name string) []string {
	values := map[string]bool{}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == name {
				values[l.GetValue()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(values))
}

func TestProcessSums(t *testing.T) {
	excluded := func(j *judged) { *j.assessment = risk.Assessment{Excluded: true} }
	kernel := func(j *judged) { j.Kernel, j.State, j.Threads = true, process.Idle, 1 }
	zombie := func(j *judged) { j.State = process.Zombie }
	strange := func(j *judged) { j.State, j.Threads = 'P', 3 }
	port := func(subject string) risk.Warning {
		return risk.Warning{Code: risk.PublicPort, Severity: risk.Warn, Subject: subject}
	}
	c := collecting(testConfig()).of(
		tool(1, found(risk.Safe, risk.Warning{Code: risk.RunningAsRoot, Expected: true})),
		tool(2, kernel, excluded), tool(3, kernel, excluded),
		tool(10, found(risk.Dangerous, port("22"), port("23"), risk.Warning{Code: risk.RunningAsRoot})),
		tool(11, found(risk.Caution)), tool(12, strange),
		tool(13, zombie, excluded),
	)
	all := families(t, c)
	wantSeries(t, all, "processes", map[string]float64{`verdict="safe"`: 2, `verdict="caution"`: 1, `verdict="danger"`: 1})
	wantSeries(t, all, "processes_state", map[string]float64{
		`state="running"`: 0, `state="sleeping"`: 3, `state="uninterruptible"`: 0, `state="zombie"`: 1, `state="stopped"`: 0,
		`state="traced"`: 0, `state="idle"`: 0, `state="dead"`: 0, `state="P"`: 1,
	})
	wantSeries(t, all, "kernel_threads", map[string]float64{"": 2})
	wantSeries(t, all, "threads", map[string]float64{"": 7})
	wantSeries(t, all, "process_warnings", map[string]float64{
		`warning="RUNNING_AS_ROOT"`: 2, `warning="PUBLIC_PORT"`: 1, `warning="SYSTEM_PORT"`: 0, `warning="HIGH_MEMORY_USAGE"`: 0,
		`warning="SUSPICIOUS_PATH"`: 0, `warning="DELETED_EXE"`: 0, `warning="FILELESS_EXE"`: 0, `warning="MASQUERADE"`: 0,
		`warning="WRITABLE_EXE"`: 0,
	})
	wantSeries(t, all, "process_facts_denied_total", map[string]float64{`fact="exe"`: 2, `fact="sockets"`: 0})
	wantSeries(t, all, "process_unowned_sockets", map[string]float64{"": 4})
	wantSeries(t, all, "processes_hidden", map[string]float64{"": 3})
	wantSeries(t, all, "process_group_processes", map[string]float64{`name="tool",user="alice"`: 5})
}

func TestProcessFails(t *testing.T) {
	wantFailure(t, collecting(testConfig()), nil)
}

// TestProcessOfNothing checks that families which are always there are there.
func TestProcessOfNothing(t *testing.T) {
	config := testConfig()
	config.Groups = []string{"nginx"}
	all := families(t, collecting(config).of())
	wantSeries(t, all, "processes", map[string]float64{`verdict="safe"`: 0, `verdict="caution"`: 0, `verdict="danger"`: 0})
	wantSeries(t, all, "process_group_processes", map[string]float64{`name="nginx",user=""`: 0})
	wantSeries(t, all, "process_group_cpu_seconds_total", map[string]float64{`name="nginx",user=""`: 0})
	wantSeries(t, all, "process_pids_omitted", map[string]float64{"": 0})
	wantSeries(t, all, "process_listen_ports_omitted", map[string]float64{"": 0})
}

// TestProcessHostile scrapes processes whose every text was chosen to break
// the exposition or to be confused with another one's.
func TestProcessHostile(t *testing.T) {
	texts := []string{
		"", " ", "a\nb", `a\nb`, "\xff\xfe", `\xff\xfe`, "\"},{evil=\"1", "# HELP x y\n", "\x00", "\u202egnp.exe", "\u200b", "\\", "\r\n",
		strings.Repeat("x", 300), strings.Repeat("x", 256) + "1", strings.Repeat("x", 256) + "2",
		strings.Repeat("명", 90), "a" + strings.Repeat("명", 90), "ab" + strings.Repeat("명", 90), strings.Repeat("\n", 200), strings.Repeat("\xff", 5000),
	}
	var all []judged
	for n, a := range texts {
		for m, b := range texts {
			all = append(all, tool(1+n*len(texts)+m, named(a), of(b), listening(process.TCP, "0.0.0.0:80"),
				found(risk.Dangerous, risk.Warning{Code: risk.SuspiciousPath, Subject: a}, risk.Warning{Code: risk.SuspiciousPath, Subject: b}),
				func(j *judged) {
					j.Exe, j.Unit = b, a
					j.assessment.Document.Category, j.assessment.Document.Description = a, b
				}))
		}
	}
	scraped := families(t, collecting(testConfig()).of(all...))
	for family, f := range scraped {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if len(l.GetValue()) > maxLabel {
					t.Errorf("%s: label %s is %d bytes long", family, l.GetName(), len(l.GetValue()))
				}
				if l.GetValue() != process.Printable(l.GetValue()) {
					t.Errorf("%s: label %s is not safe to show: %q", family, l.GetName(), l.GetValue())
				}
			}
		}
	}
	if got, rows := sumOf(scraped["process_group_processes"]), len(scraped["process_info"].GetMetric()); got != len(all) || rows != len(all) {
		t.Errorf("%d processes in groups and %d rows, want %d", got, rows, len(all))
	}
}

// rowFamilyNames are the families in which each published process must be
// exactly once.
var rowFamilyNames = []string{
	"process_info", "process_verdict", "process_cpu_seconds_total", "process_resident_memory_bytes",
	"process_memory_ratio", "process_start_time_seconds", "process_threads",
}

// TestProcessConsistency scrapes random processes that come, go, change and
// take over pids. In every scrape all families by pid must be of the same
// processes, under the same names, and agree with the sums.
func TestProcessConsistency(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	config := testConfig()
	config.MaxPIDs, config.MaxGroups = 20, 8
	c := collecting(config)
	var all []judged
	for round := range 150 {
		all = churn(random, all)
		c.now = inventoryOf(testBegin.Add(time.Duration(round)*time.Minute), slices.Clone(all)...)
		scraped := families(t, c)
		if err := consistent(scraped, len(all), len(all), config); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

// churn ends, changes and starts some processes.
func churn(random *rand.Rand, all []judged) []judged {
	var next []judged
	used := map[int]bool{}
	for _, j := range all {
		if random.IntN(6) == 0 {
			continue // it has ended
		}
		j.CPUSeconds += random.Float64() * 3
		j.Revision++
		if random.IntN(8) == 0 {
			facts := *j.Facts
			facts.Name = fmt.Sprint("exec", random.IntN(9))
			j.Facts = &facts
		}
		if random.IntN(8) == 0 {
			j.assessment = randomAssessment(random)
		}
		used[j.PID] = true
		next = append(next, j)
	}
	for range random.IntN(14) {
		pid := 1 + random.IntN(80)
		if used[pid] {
			continue
		}
		used[pid] = true
		j := tool(pid, named(fmt.Sprint("tool", random.IntN(9))), of(fmt.Sprint("user", random.IntN(3))))
		j.StartTicks = random.Uint64N(1 << 40)
		j.assessment = randomAssessment(random)
		if random.IntN(3) == 0 {
			listening(process.TCP, "0.0.0.0:80", "[::]:80", "127.0.0.1:81", "10.0.0.1:80")(&j)
		}
		next = append(next, j)
	}
	return next
}

func randomAssessment(random *rand.Rand) *risk.Assessment {
	a := tool(1).assessment
	a.Verdict = risk.Verdicts[random.IntN(3)]
	for range random.IntN(4) {
		a.Warnings = append(a.Warnings, risk.Warning{Code: risk.Codes[random.IntN(len(risk.Codes))], Subject: fmt.Sprint(random.IntN(2))})
	}
	return a
}

// consistent checks one scrape against itself and against how many processes
// there were and how many of them were judged.
func consistent(scraped map[string]*dto.MetricFamily, processes, judged int, config ProcessConfig) error {
	rows := rowsOf(scraped["process_info"])
	if len(rows) > config.MaxPIDs {
		return fmt.Errorf("%d rows, more than %d", len(rows), config.MaxPIDs)
	}
	for _, family := range rowFamilyNames {
		if got := rowsOf(scraped[family]); !slices.Equal(got, rows) || len(scraped[family].GetMetric()) != len(rows) {
			return fmt.Errorf("%s is of other processes than process_info: %s", family, cmp.Diff(rows, got))
		}
	}
	for _, family := range []string{"process_warning", "process_listen_port"} {
		for _, row := range rowsOf(scraped[family]) {
			if !slices.Contains(rows, row) {
				return fmt.Errorf("%s has %s, which is in no other family", family, row)
			}
		}
	}
	for family, want := range map[string]int{"processes": judged, "processes_state": processes, "process_group_processes": processes} {
		if got := sumOf(scraped[family]); got != want {
			return fmt.Errorf("%s adds up to %d, not to %d", family, got, want)
		}
	}
	if n := len(labelValues(scraped["process_group_processes"], "name")); n > config.MaxGroups+1 {
		return fmt.Errorf("%d names of groups, more than %d", n, config.MaxGroups)
	}
	return nil
}

// sumOf adds up all series of a family.
func sumOf(f *dto.MetricFamily) int {
	total := 0.0
	for _, n := range seriesOf(f) {
		total += n
	}
	return int(total)
}

// rowsOf lists "pid name" of the series of a family, each once.
func rowsOf(f *dto.MetricFamily) []string {
	rows := map[string]bool{}
	for _, m := range f.GetMetric() {
		var pid, name string
		for _, l := range m.GetLabel() {
			switch l.GetName() {
			case "pid":
				pid = l.GetValue()
			case "name":
				name = l.GetValue()
			}
		}
		rows[pid+" "+name] = true
	}
	return slices.Sorted(maps.Keys(rows))
}

func TestProcessLint(t *testing.T) {
	lintExposition(t, collecting(testConfig()).of(
		tool(7, found(risk.Dangerous, risk.Warning{Code: risk.RunningAsRoot}), listening(process.TCP, "0.0.0.0:80")),
	))
}

func TestLabel(t *testing.T) {
	cases := map[string]string{
		"":                            "",
		"nginx":                       "nginx",
		"a\nb":                        `a\nb`,
		strings.Repeat("x", 256):      strings.Repeat("x", 256),
		strings.Repeat("x", 257):      strings.Repeat("x", 253) + "…",
		strings.Repeat("명", 86):       strings.Repeat("명", 84) + "…",
		"a" + strings.Repeat("명", 86): "a" + strings.Repeat("명", 84) + "…",
	}
	for in, want := range cases {
		if got := label(in); got != want {
			t.Errorf("label(%q) = %q, want %q", in, got, want)
		}
	}
}
