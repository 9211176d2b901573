// Package report puts an inventory into rows for people and programs: what the
// command scan prints, and what an API gives. Every text in it is safe to show.
package report

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

// Report is an inventory in words.
type Report struct {
	Taken         time.Time `json:"taken"`
	PolicyVersion string    `json:"policy_version"`
	// PolicyState says how fresh policy was, where that was asked.
	PolicyState policy.State `json:"policy_state,omitempty"`
	// Verdicts counts the assessed processes by verdict, Excluded those that
	// are not assessed: kernel threads, zombies, the init of a container.
	Verdicts map[string]int `json:"verdicts"`
	Excluded int            `json:"excluded"`
	// UnownedSockets counts listening sockets whose owner may not be seen.
	UnownedSockets int `json:"unowned_sockets"`
	// Processes are ordered by verdict, danger first, then by name and pid.
	Processes []Process `json:"processes"`
}

// Process is an assessed process in words.
type Process struct {
	Identity string `json:"identity"`
	PID      int    `json:"pid"`
	PPID     int    `json:"ppid"`
	Name     string `json:"name"`
	Exe      string `json:"exe,omitempty"`
	User     string `json:"user"`
	UID      int    `json:"uid"`
	TTY      string `json:"tty,omitempty"`
	Unit     string `json:"unit,omitempty"`
	// Container is the id or name of its container.
	Container string    `json:"container,omitempty"`
	State     string    `json:"state"`
	StartTime time.Time `json:"start_time"`

	CPUSeconds    float64 `json:"cpu_seconds"`
	ResidentBytes uint64  `json:"resident_memory_bytes"`
	MemoryRatio   float64 `json:"memory_ratio"`
	Threads       int     `json:"threads"`
	// OpenFDs is nil where descriptors may not be seen.
	OpenFDs *int `json:"open_fds,omitempty"`

	Listen []Socket `json:"listen"`

	Verdict  string `json:"verdict"`
	Known    bool   `json:"known"`
	Category string `json:"category,omitempty"`
	risk.Explanation
	// Unseen are the facts that could not be read for want of permission.
	Unseen []string `json:"unseen,omitempty"`

	verdict risk.Verdict
}

// Socket is a socket that waits for peers.
type Socket struct {
	Protocol string `json:"protocol"`
	Address  string `json:"address"`
	Port     uint16 `json:"port"`
	// PortName is what the port is known for, empty for an unknown one.
	PortName string `json:"port_name,omitempty"`
	Scope    string `json:"scope"`
}

// New puts an inventory into words of a language.
func New(i *inventory.Inventory, l language.Language) *Report {
	r := &Report{
		Taken: i.Taken, PolicyVersion: i.Policy.Version(), UnownedSockets: i.UnownedSockets,
		Verdicts: make(map[string]int), Processes: []Process{},
	}
	for _, v := range risk.Verdicts {
		r.Verdicts[v.String()] = 0
	}
	for at, a := range i.Assessments {
		if a.Excluded {
			r.Excluded++
			continue
		}
		r.Verdicts[a.Verdict.String()]++
		r.Processes = append(r.Processes, describe(i, at, l))
	}
	slices.SortStableFunc(r.Processes, func(a, b Process) int {
		return cmp.Or(cmp.Compare(b.verdict, a.verdict), cmp.Compare(a.Name, b.Name), cmp.Compare(a.PID, b.PID))
	})
	return r
}

// One puts one process of an inventory into words; it is not there where none
// has the pid, or where it is not assessed.
func One(i *inventory.Inventory, pid int, l language.Language) (row Process, ok bool) {
	at, ok := i.Index(pid)
	if !ok || i.Assessments[at].Excluded {
		return Process{}, false
	}
	return describe(i, at, l), true
}

// describe puts one process of an inventory into words.
func describe(i *inventory.Inventory, at int, l language.Language) Process {
	p, a := &i.Processes[at], i.Assessments[at]
	row := Process{
		Identity: p.Identity.String(), PID: p.PID, PPID: p.PPID,
		Name: process.Printable(p.Name), Exe: process.Printable(p.Exe),
		User: process.Printable(p.User), UID: p.UID, TTY: p.TTY,
		Unit: process.Printable(p.Unit), Container: process.Printable(p.Container),
		State: p.State.String(), StartTime: p.StartTime,
		CPUSeconds: p.CPUSeconds, ResidentBytes: p.ResidentBytes, Threads: p.Threads,
		Listen:  sockets(p.Listen),
		Verdict: a.Verdict.String(), Known: a.Known(), verdict: a.Verdict,
		Explanation: risk.Explain(p, i.Process(p.PPID), a, l),
	}
	if i.MemoryTotal > 0 {
		row.MemoryRatio = float64(p.ResidentBytes) / float64(i.MemoryTotal)
	}
	if p.OpenFDs >= 0 {
		row.OpenFDs = &p.OpenFDs
	}
	if a.Document != nil {
		row.Category = a.Document.Category
	}
	for fact := range a.Unseen.All() {
		row.Unseen = append(row.Unseen, fact.String())
	}
	return row
}

func sockets(listen []process.Socket) []Socket {
	rows := make([]Socket, len(listen))
	for i, s := range listen {
		rows[i] = Socket{
			Protocol: s.Protocol.String(), Address: s.Addr.Addr().String(), Port: s.Addr.Port(),
			Scope: s.Scope().String(),
		}
		if known, ok := risk.LookupPort(s.Protocol, s.Addr.Port()); ok {
			rows[i].PortName = known.Name
		}
	}
	return rows
}

// Ports lists the ports of a process once each, those open beyond loopback
// first, and tells how many more there are than limit.
func (p *Process) Ports(limit int) (ports []string, more int) {
	var seen []uint16
	for _, loopback := range [...]bool{false, true} {
		for _, s := range p.Listen {
			if (s.Scope == process.Loopback.String()) != loopback || slices.Contains(seen, s.Port) {
				continue
			}
			seen = append(seen, s.Port)
			if len(ports) < limit {
				ports = append(ports, strconv.Itoa(int(s.Port)))
			}
		}
	}
	return ports, len(seen) - len(ports)
}
