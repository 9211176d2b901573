package terminate

import (
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// SnapshotReasons are what stands against ending a process of a snapshot:
// guards first, then policy. It is for showing, as [Refusals] is.
func SnapshotReasons(p *process.Process, h *Host, set *policy.Set, subject policy.Subject) []Reason {
	reasons := Refusals(p, h)
	if d := set.Denial(subject); d != nil {
		var ruling Ruling
		ruling.deny(d)
		reasons = append(reasons, denial(&ruling))
	}
	return reasons
}
