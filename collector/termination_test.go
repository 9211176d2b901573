package collector

import (
	"testing"
	"testing/synctest"
	"time"
)

var usualResults = []string{"terminated", "killed", "kill_pending", "already_exited", "would_terminate", "refused", "failed", "outcome_unknown"}

func TestTerminationCountsFromTheStart(t *testing.T) {
	termination := NewTermination(usualResults, []string{"other-server"})
	before := families(t, termination)
	wantSeries(t, before, "termination_requests_total", map[string]float64{
		`actor="automation",method="hard",result="kill_pending"`:    0,
		`actor="automation",method="hard",result="killed"`:          0,
		`actor="automation",method="none",result="already_exited"`:  0,
		`actor="automation",method="none",result="failed"`:          0,
		`actor="automation",method="none",result="outcome_unknown"`: 0,
		`actor="automation",method="none",result="refused"`:         0,
		`actor="automation",method="none",result="would_terminate"`: 0,
		`actor="automation",method="soft",result="terminated"`:      0,
		`actor="operator",method="hard",result="kill_pending"`:      0,
		`actor="operator",method="hard",result="killed"`:            0,
		`actor="operator",method="none",result="already_exited"`:    0,
		`actor="operator",method="none",result="failed"`:            0,
		`actor="operator",method="none",result="outcome_unknown"`:   0,
		`actor="operator",method="none",result="refused"`:           0,
		`actor="operator",method="none",result="would_terminate"`:   0,
		`actor="operator",method="soft",result="terminated"`:        0,
	})
	if before["termination_duration_seconds"] != nil {
		t.Error("durations before the first termination")
	}
	termination.Observe("terminated", "soft", "operator")
	termination.Observe("refused", "", "automation")
	termination.Ended("soft", 0.1)
	termination.TurnedAway("other-server", "automation")
	termination.UntrustedName("operator")
	after := families(t, termination)
	if got := len(after["termination_requests_total"].GetMetric()); got != 16 {
		t.Errorf("%d counters, want the 16 that were there", got)
	}
	wantSeries(t, after, "termination_turned_away_requests_total", map[string]float64{
		`actor="automation",code="other-server"`: 1, `actor="operator",code="other-server"`: 0,
	})
	wantSeries(t, after, "termination_untrusted_names_total", map[string]float64{`actor="automation"`: 0, `actor="operator"`: 1})
	if n := after["termination_duration_seconds"].GetMetric()[0].GetHistogram().GetSampleCount(); n != 1 {
		t.Errorf("%d durations", n)
	}
}

// TestOpenRequestsAreSeenToRise: those that an earlier run left open are known
// before the first scrape, which must still find 0.
func TestOpenRequestsAreSeenToRise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		termination := NewTermination(usualResults, nil)
		termination.Unknown("operator")
		count := func() (n float64) {
			for _, m := range families(t, termination)["termination_requests_total"].GetMetric() {
				for _, l := range m.GetLabel() {
					if l.GetValue() == "outcome_unknown" {
						n += m.GetCounter().GetValue()
					}
				}
			}
			return n
		}
		for _, want := range []float64{0, 0, 1, 1} {
			if got := count(); got != want {
				t.Errorf("%v after %v, want %v", got, time.Since(termination.started), want)
			}
			time.Sleep(time.Minute)
		}
	})
}
