package collector

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

var (
	processes = define("process", "processes",
		"Processes by verdict; kernel threads, zombies and the bare init of a container are not judged.",
		prometheus.GaugeValue, "verdict")
	processesState = define("process", "processes_state",
		"Processes by the state of the scheduler, kernel threads left out.", prometheus.GaugeValue, "state")
	kernelThreads = define("process", "kernel_threads", "Threads of the kernel itself.", prometheus.GaugeValue)
	threads       = define("process", "threads", "Threads of all processes, kernel threads left out.", prometheus.GaugeValue)

	processWarnings = define("process", "process_warnings",
		"How many processes bear the warning, be it expected or not.", prometheus.GaugeValue, "warning")
	processFactsDenied = define("process", "process_facts_denied_total",
		"How often a fact about a process could not be read for want of permission.", prometheus.CounterValue, "fact")
	processesHidden = define("process", "processes_hidden",
		"Processes that are listed but may not be looked at; they are in no other metric.", prometheus.GaugeValue)
	processUnownedSockets = define("process", "process_unowned_sockets",
		"Listening sockets whose process was not found.", prometheus.GaugeValue)
)

// The defaults of [ProcessConfig].
const (
	DefaultMemoryThreshold = 0.05
	DefaultMaxPIDs         = 500
	DefaultMaxGroups       = 1000
)

// ProcessConfig says which processes have series of their own and how. All
// processes are in the sums and groups whatever it says.
type ProcessConfig struct {
	// MemoryThreshold is the part of the machine's memory, from 0 to 1, from
	// which on a process is published by its pid whatever its verdict.
	MemoryThreshold float64
	// MaxPIDs bounds how many are published by their pid.
	MaxPIDs int
	// MaxGroups bounds the groups by name and user. Processes that find no
	// room are in one more group, "other".
	MaxGroups int
	// Groups are names of programs whose groups are reported as 0 where
	// nobody runs them.
	Groups []string
	// Language is that of descriptions.
	Language language.Language
	// Terminatable tells whether an operator may end the process. Where it is
	// nil, the label says what policy alone allows. The answer may depend on
	// what of the process makes a revision, its state, its memory and policy; it
	// is kept for as long as those are the same.
	Terminatable func(p *process.Process, a *risk.Assessment, i *inventory.Inventory) bool
}

type processCollector struct {
	take   func(context.Context) (*inventory.Inventory, error)
	logger *slog.Logger

	mu     sync.Mutex
	groups *groupTable
	rows   *rowTable
	told   bool // that there are too few descriptors
}

// NewProcess makes the collector of what runs: sums, groups by name and user,
// and single processes where they are worth a row.
func NewProcess(keeper *inventory.Keeper, config ProcessConfig, logger *slog.Logger) Collector {
	return newProcess(keeper.Take, config, logger)
}

func newProcess(
	take func(context.Context) (*inventory.Inventory, error), config ProcessConfig, logger *slog.Logger,
) *processCollector {
	return &processCollector{
		take: take, logger: logger,
		groups: newGroupTable(config.MaxGroups, config.Groups), rows: newRowTable(config),
	}
}

// Update implements [Collector]. All of it comes from one inventory, so that
// no two families disagree on which processes there are.
func (c *processCollector) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	c.mu.Lock() // the counters of groups need the inventories one after the other
	defer c.mu.Unlock()
	taken, err := c.take(ctx)
	if err != nil {
		return fmt.Errorf("take inventory: %w", err)
	}
	if taken.Unheld > 0 && !c.told {
		c.told = true
		c.logger.Warn("too few descriptors to hold all processes: each scrape opens their files anew, which is slower; raise LimitNOFILE",
			"processes", len(taken.Processes), "not_held", taken.Unheld)
	}
	sendProcessSums(ch, taken)
	overflows := c.groups.overflows
	c.groups.observe(taken.Snapshot)
	if overflows == 0 && c.groups.overflows > 0 {
		c.logger.Warn("too many groups of processes, new ones go into the group "+otherGroup, "groups", c.groups.max)
	}
	c.groups.send(ch)
	c.rows.observe(taken)
	c.rows.send(ch)
	return nil
}

// processStates are published even where no process is in them.
var processStates = []process.State{
	process.Running, process.Sleeping, process.Uninterruptible, process.Zombie,
	process.Stopped, process.Traced, process.Idle, process.Dead,
}

// sendProcessSums publishes what is counted over all processes.
func sendProcessSums(ch chan<- prometheus.Metric, i *inventory.Inventory) {
	s := sumProcesses(i)
	for _, v := range risk.Verdicts {
		processes.send(ch, float64(s.verdicts[v]), v.String())
	}
	for _, state := range processStates {
		processesState.send(ch, float64(s.states[state]), state.String())
		s.states[state] = 0
	}
	for state, n := range s.states {
		if n > 0 { // a state that a later kernel has
			processesState.send(ch, float64(n), label(process.State(state).String()))
		}
	}
	kernelThreads.send(ch, float64(s.kernelThreads))
	threads.send(ch, float64(s.threads))
	for _, code := range risk.Codes {
		processWarnings.send(ch, float64(s.warnings[code]), string(code))
	}
	for fact, n := range i.Denied {
		processFactsDenied.send(ch, float64(n), fact)
	}
	processesHidden.send(ch, float64(i.Hidden))
	processUnownedSockets.send(ch, float64(i.UnownedSockets))
}

// processSums is what is counted over all processes.
type processSums struct {
	verdicts               [3]int
	states                 [256]int
	warnings               map[risk.Code]int
	kernelThreads, threads int
}

func sumProcesses(i *inventory.Inventory) *processSums {
	s := &processSums{warnings: make(map[risk.Code]int, len(risk.Codes))}
	for at := range i.Processes {
		p, a := &i.Processes[at], i.Assessments[at]
		if p.Kernel {
			s.kernelThreads++
			continue
		}
		s.states[p.State]++
		s.threads += p.Threads
		if a.Excluded {
			continue
		}
		s.verdicts[a.Verdict]++
		for w := range a.Warnings {
			if !borneBefore(a.Warnings[:w], a.Warnings[w].Code) {
				s.warnings[a.Warnings[w].Code]++
			}
		}
	}
	return s
}

// borneBefore tells whether a code is among warnings: PUBLIC_PORT can be there
// once for each port.
func borneBefore(warnings []risk.Warning, code risk.Code) bool {
	for i := range warnings {
		if warnings[i].Code == code {
			return true
		}
	}
	return false
}

// seconds is a moment as Prometheus counts it, to the millisecond.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
