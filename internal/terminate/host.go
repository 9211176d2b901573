package terminate

import (
	"bytes"
	"strconv"

	"server-monitor/internal/process"
)

// Host is what the guards compare a process with.
type Host struct {
	// Obstacle is why nothing can be ended on this machine at all, nil where
	// it can.
	Obstacle *Reason
	// Systemd tells that systemd runs the machine, so that each login is in a
	// cgroup of its own. Without it a login is told by terminal and audit id,
	// which is weaker.
	Systemd bool
	// Windows tells that the machine runs Windows, where other guards hold and
	// Systemd, Login and Namespaces say nothing.
	Windows bool
	// Login is the range of the uids of people.
	Login UIDRange
	// Namespaces are the host's; only Mount and PID are looked at.
	Namespaces process.Namespaces
	// Boot is the id of this boot, as in identities.
	Boot string
	// Self is our own pid, Ancestors those of our parents up to pid 1.
	Self      int
	Ancestors []int
}

// weaker tells a host on which a login is told by signs that prove less.
func (h *Host) weaker() bool { return !h.Systemd && !h.Windows }

// UIDRange is a range of user ids, both ends included.
type UIDRange struct{ Min, Max int }

// Contains tells whether a uid is in the range.
func (r UIDRange) Contains(uid int) bool { return uid >= r.Min && uid <= r.Max }

// DefaultLogin is the range where /etc/login.defs names no other.
var DefaultLogin = UIDRange{Min: 1000, Max: 60000}

// parseLoginDefs reads UID_MIN and UID_MAX (login.defs(5)). The last of several
// lines holds, as for shadow's own programs; what is not a uid is passed over.
func parseLoginDefs(text []byte) UIDRange {
	r := DefaultLogin
	for line := range bytes.Lines(text) {
		line = bytes.TrimLeft(line, " \t")
		if !bytes.HasPrefix(line, []byte("UID_M")) {
			continue
		}
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			continue
		}
		value, err := strconv.ParseUint(string(fields[1]), 0, 31)
		if err != nil || value == 0 {
			continue
		}
		switch string(fields[0]) {
		case "UID_MIN":
			r.Min = int(value)
		case "UID_MAX":
			r.Max = int(value)
		}
	}
	return r
}
