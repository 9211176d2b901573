package collector

import (
	"testing"
)

func TestTerminationCountsFromTheStart(t *testing.T) {
	termination := NewTermination()
	before := families(t, termination)
	wantSeries(t, before, "termination_requests_total", map[string]float64{
		`actor="automation",method="hard",result="kill_pending"`:    0,
		`actor="automation",method="hard",result="killed"`:          0,
		`actor="automation",method="none",result="already_exited"`:  0,
		`actor="automation",method="none",result="refused"`:         0,
		`actor="automation",method="none",result="would_terminate"`: 0,
		`actor="automation",method="soft",result="terminated"`:      0,
		`actor="operator",method="hard",result="kill_pending"`:      0,
		`actor="operator",method="hard",result="killed"`:            0,
		`actor="operator",method="none",result="already_exited"`:    0,
		`actor="operator",method="none",result="refused"`:           0,
		`actor="operator",method="none",result="would_terminate"`:   0,
		`actor="operator",method="soft",result="terminated"`:        0,
	})
	if before["termination_duration_seconds"] != nil {
		t.Error("durations before the first termination")
	}
	termination.Observe("terminated", "soft", "operator", 0.1)
	termination.Observe("refused", "", "automation", 0)
	after := families(t, termination)
	if got := len(after["termination_requests_total"].GetMetric()); got != 12 {
		t.Errorf("%d counters, want the 12 that were there", got)
	}
}
