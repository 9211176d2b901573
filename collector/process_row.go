package collector

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

var (
	processInfo = define("process", "process_info",
		"1 for each process that is published by its pid, with what it is and how it is judged.",
		prometheus.GaugeValue, "pid", "identity", "name", "user", "exe", "unit", "category",
		"known", "protected", "terminatable", "verdict", "description")
	processAutomatic = define("process", "process_auto_terminate",
		"1 for each process published by its pid that policy lets automation end and that no guard protects; absent for others.",
		prometheus.GaugeValue, "pid", "name")
	processVerdict = define("process", "process_verdict",
		"Verdict on the process: 0 safe, 1 caution, 2 danger.", prometheus.GaugeValue, "pid", "name")
	processWarning = define("process", "process_warning",
		"1 for each warning that the process bears; one that policy expects does not count in the verdict.",
		prometheus.GaugeValue, "pid", "name", "warning", "severity", "subject", "expected")
	processListenPort = define("process", "process_listen_port",
		"1 for each port on which the process waits for peers; the scope says from where they can come.",
		prometheus.GaugeValue, "pid", "name", "port", "protocol", "scope", "port_name")
	processCPU = define("process", "process_cpu_seconds_total",
		"Processor time that the process has spent since its start, in seconds.", prometheus.CounterValue, "pid", "name")
	processMemory = define("process", "process_resident_memory_bytes",
		"Physical memory of the process, in bytes, what it shares with others included.", prometheus.GaugeValue, "pid", "name")
	processMemoryRatio = define("process", "process_memory_ratio",
		"Resident memory of the process as a part of the machine's, from 0 to 1.", prometheus.GaugeValue, "pid", "name")
	processStartTime = define("process", "process_start_time_seconds",
		"When the process started, in seconds since the Unix epoch.", prometheus.GaugeValue, "pid", "name")
	processThreads = define("process", "process_threads",
		"Threads of the process.", prometheus.GaugeValue, "pid", "name")

	processPIDsOmitted = define("process", "process_pids_omitted",
		"Processes worth series of their own that have none, as there are too many; they are in their groups.", prometheus.GaugeValue)
	processPortsOmitted = define("process", "process_listen_ports_omitted",
		"Listening ports of processes with series of their own that have none, as there are too many of one process.", prometheus.GaugeValue)
	processWarningsOmitted = define("process", "process_warnings_omitted",
		"Warnings of processes with series of their own that have none, as there are too many of one process.", prometheus.GaugeValue)
)

// maxPorts bounds the ports of one process that are published, and maxWarnings
// its warnings: whoever may listen at all may do so sixty thousand times.
const (
	maxPorts    = 64
	maxWarnings = 64
)

// rowTable chooses the processes that are published by their pid, and keeps
// what of their series does not change.
type rowTable struct {
	config ProcessConfig

	chosen      []int // indices of processes in the inventory
	omitted     int
	memoryTotal uint64
	rows, spare map[int]*row
	order       []*row
}

// row is one process that is published by its pid.
type row struct {
	basis   basis
	asked   question
	labels  *labels   // pid and name
	fixed   []*sample // what does not change as long as the basis holds
	process *process.Process
	// How many ports and warnings are not among the fixed samples.
	portsOmitted, warningsOmitted int
}

// basis is what the fixed samples of a row are made from.
type basis struct {
	identity, parent         process.Identity
	revision, parentRevision uint64
	assessment               *risk.Assessment
	terminatable, automatic  bool
	protected                bool
}

// isOf tells whether two bases are of the same process, unchanged and judged the
// same.
func (b *basis) isOf(other *basis) bool {
	return b.identity == other.identity && b.revision == other.revision && b.assessment == other.assessment
}

// question is what the answer whether a process may be ended depends on beside
// the process as it is known by its revision.
type question struct {
	policy                *policy.Set
	memoryTotal, resident uint64
	state                 process.State
}

func newRowTable(config ProcessConfig) *rowTable {
	if config.Terminatable == nil {
		config.Terminatable = terminatableByPolicy
	}
	return &rowTable{config: config, rows: make(map[int]*row), spare: make(map[int]*row)}
}

// observe chooses the rows of an inventory.
func (t *rowTable) observe(i *inventory.Inventory) {
	t.choose(i)
	t.memoryTotal = i.MemoryTotal
	t.order = t.order[:0]
	next := t.spare
	for _, at := range t.chosen {
		p := &i.Processes[at]
		r := t.row(i, at)
		r.process = p
		next[p.PID] = r
		t.order = append(t.order, r)
	}
	t.rows, t.spare = next, t.rows
	clear(t.spare)
}

// choose lists the processes worth a row, at most as many as the
// configuration lets: danger first, then the oldest, so that the choice does
// not change because of one that is younger.
func (t *rowTable) choose(i *inventory.Inventory) {
	t.chosen, t.omitted = t.chosen[:0], 0
	for at := range i.Processes {
		if t.worthRow(&i.Processes[at], i.Assessments[at], i.MemoryTotal) {
			t.chosen = append(t.chosen, at)
		}
	}
	if len(t.chosen) <= t.config.MaxPIDs {
		return
	}
	slices.SortFunc(t.chosen, func(x, y int) int {
		a, b := &i.Processes[x], &i.Processes[y]
		return cmp.Or(
			-cmp.Compare(i.Assessments[x].Verdict, i.Assessments[y].Verdict),
			cmp.Compare(a.StartTicks, b.StartTicks),
			cmp.Compare(a.PID, b.PID),
		)
	})
	t.omitted = len(t.chosen) - t.config.MaxPIDs
	t.chosen = t.chosen[:t.config.MaxPIDs]
}

// worthRow tells a process that is published by its pid.
func (t *rowTable) worthRow(p *process.Process, a *risk.Assessment, memoryTotal uint64) bool {
	if a.Excluded {
		return false
	}
	if a.Verdict != risk.Safe || memoryTotal > 0 && float64(p.ResidentBytes) >= t.config.MemoryThreshold*float64(memoryTotal) {
		return true
	}
	for _, s := range p.Listen {
		if s.Scope() != process.Loopback {
			return true
		}
	}
	return false
}

// row returns the row of a process, that of last time where it still holds.
func (t *rowTable) row(i *inventory.Inventory, at int) *row {
	p, a := &i.Processes[at], i.Assessments[at]
	old := t.rows[p.PID]
	b := basis{identity: p.Identity, revision: p.Revision, assessment: a}
	asked := question{policy: i.Policy, memoryTotal: i.MemoryTotal, resident: p.ResidentBytes, state: p.State}
	if old != nil && old.asked == asked && old.basis.isOf(&b) {
		b.terminatable, b.automatic, b.protected = old.basis.terminatable, old.basis.automatic, old.basis.protected
	} else {
		subject := policySubject(p, a, i)
		b.terminatable = t.config.Terminatable(p, a, i)
		b.protected = protected(a, i.Policy, subject)
		b.automatic = b.terminatable && i.Policy.AutoTerminate(subject) != nil
	}
	parent := i.Process(p.PPID)
	if parent != nil {
		b.parent, b.parentRevision = parent.Identity, parent.Revision
	}
	if old == nil || old.basis != b {
		old = newRow(b, p, parent, a, t.config.Language)
	}
	old.asked = asked
	return old
}

func newRow(b basis, p, parent *process.Process, a *risk.Assessment, l language.Language) *row {
	pid, name := strconv.Itoa(p.PID), label(p.Name)
	r := &row{basis: b, labels: newLabels("name", name, "pid", pid)}
	var category string
	if a.Document != nil {
		category = a.Document.Category
	}
	r.fix(processInfo, 1, newLabels(
		"category", label(category),
		"description", label(risk.Description(p, parent, a, l)),
		"exe", label(p.Exe),
		"identity", p.Identity.String(),
		"known", strconv.FormatBool(a.Known()),
		"name", name,
		"pid", pid,
		"protected", strconv.FormatBool(b.protected),
		"terminatable", strconv.FormatBool(b.terminatable),
		"unit", label(p.Unit),
		"user", label(p.User),
		"verdict", a.Verdict.String(),
	))
	r.fix(processVerdict, float64(a.Verdict), r.labels)
	if b.automatic {
		r.fix(processAutomatic, 1, r.labels)
	}
	r.fixWarnings(name, pid, a.Warnings)
	r.fixPorts(name, pid, p.Listen)
	return r
}

// fix adds a sample that does not change.
func (r *row) fix(m metric, value float64, l *labels) {
	r.fixed = append(r.fixed, &sample{m, l, value})
}

// fixWarnings adds the warnings, the heaviest first. Subjects that are shown
// alike would make one series twice.
func (r *row) fixWarnings(name, pid string, warnings []risk.Warning) {
	type key struct {
		code              risk.Code
		severity, subject string
		expected          bool
	}
	seen := make(map[key]bool, len(warnings))
	for _, w := range warnings {
		k := key{w.Code, w.Severity.String(), label(w.Subject), w.Expected}
		if seen[k] {
			continue
		}
		if seen[k] = true; len(seen) > maxWarnings {
			r.warningsOmitted++
			continue
		}
		r.fix(processWarning, 1, newLabels(
			"expected", strconv.FormatBool(k.expected), "name", name, "pid", pid,
			"severity", k.severity, "subject", k.subject, "warning", string(k.code)))
	}
}

// listenPort is a port as it is published, whatever the addresses.
type listenPort struct {
	port     uint16
	protocol process.Protocol
	scope    process.Scope
}

// fixPorts adds the ports, those with the widest scope first.
func (r *row) fixPorts(name, pid string, sockets []process.Socket) {
	ports := make([]listenPort, 0, len(sockets))
	for _, s := range sockets {
		ports = append(ports, listenPort{s.Addr.Port(), s.Protocol, s.Scope()})
	}
	slices.SortFunc(ports, func(a, b listenPort) int {
		return cmp.Or(-cmp.Compare(a.scope, b.scope), cmp.Compare(a.port, b.port), cmp.Compare(a.protocol, b.protocol))
	})
	ports = slices.Compact(ports)
	r.portsOmitted = max(0, len(ports)-maxPorts)
	for _, p := range ports[:len(ports)-r.portsOmitted] {
		r.fix(processListenPort, 1, newLabels(
			"name", name, "pid", pid, "port", strconv.Itoa(int(p.port)), "port_name", portName(p),
			"protocol", p.protocol.String(), "scope", p.scope.String()))
	}
}

// portName is the service that a port is known for, empty without one.
func portName(p listenPort) string {
	if known, ok := risk.LookupPort(p.protocol, p.port); ok {
		return known.Name
	}
	return ""
}

// protected tells a process that policy calls a part of the system, or forbids
// to end by any of its names.
func protected(a *risk.Assessment, set *policy.Set, subject policy.Subject) bool {
	return a.Excluded || a.Document != nil && a.Document.Policy.IsSystem || set.Denial(subject) != nil
}

// terminatableByPolicy tells whether policy lets a process be ended. An unknown
// process may be, unless it is root's or a system service.
func terminatableByPolicy(p *process.Process, a *risk.Assessment, i *inventory.Inventory) bool {
	if a.Excluded || a.Document == nil && (p.UID <= 0 || p.Slice == "system.slice") {
		return false
	}
	return i.Policy.Denial(policySubject(p, a, i)) == nil
}

// policySubject is what policy decides about a process by.
func policySubject(p *process.Process, a *risk.Assessment, i *inventory.Inventory) policy.Subject {
	subject := policy.SubjectOf(p, i.MemoryTotal)
	subject.Warnings = a.Names()
	return subject
}

// rowFamilies is how many samples of a row change from scrape to scrape.
const rowFamilies = 5

// send publishes all rows.
func (t *rowTable) send(ch chan<- prometheus.Metric) {
	samples := make([]sample, 0, rowFamilies*len(t.order))
	ports, warnings := 0, 0
	for _, r := range t.order {
		samples = r.appendTo(samples, t.memoryTotal)
		ports, warnings = ports+r.portsOmitted, warnings+r.warningsOmitted
		for _, s := range r.fixed {
			ch <- s
		}
		r.process = nil // it would keep the whole snapshot
	}
	for i := range samples {
		ch <- &samples[i]
	}
	processPIDsOmitted.send(ch, float64(t.omitted))
	processPortsOmitted.send(ch, float64(ports))
	processWarningsOmitted.send(ch, float64(warnings))
}

func (r *row) appendTo(samples []sample, memoryTotal uint64) []sample {
	p := r.process
	samples = append(samples,
		sample{processCPU, r.labels, float64(micros(p.CPUSeconds)) / 1e6},
		sample{processMemory, r.labels, float64(p.ResidentBytes)},
		sample{processStartTime, r.labels, seconds(p.StartTime)},
		sample{processThreads, r.labels, float64(p.Threads)},
	)
	if memoryTotal > 0 {
		samples = append(samples, sample{processMemoryRatio, r.labels, float64(p.ResidentBytes) / float64(memoryTotal)})
	}
	return samples
}
