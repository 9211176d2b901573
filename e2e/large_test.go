//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// TestLargeMachine opens tens of thousands of sockets and looks at them with little
// time: the collector of processes is cut off, and nobody else waits for it.
func TestLargeMachine(t *testing.T) {
	const each, holders = 3000, 8
	m := programs.StartMonitor(t)
	checkSuccess(t, m.Scrape(t))
	for i := range holders {
		args := []string{"listen"}
		for n := range each {
			args = append(args, fmt.Sprintf("127.77.%d.%d:%d", i+1, n%4+1, 20000+n))
		}
		rig.StartSample(t, exec.Command(programs.Sample, args...))
	}
	var whole rig.Scrape
	var scrapes sync.WaitGroup
	begin := time.Now()
	scrapes.Go(func() { whole = m.Scrape(t) }) // finds the owners of them all
	var cut []rig.Scrape
	for range 5 {
		short := time.Now()
		cut = append(cut, m.Scrape(t, "X-Prometheus-Scrape-Timeout-Seconds: 0.2"))
		if took := time.Since(short); took > 5*time.Second {
			t.Errorf("a scrape that had 0.2 s took %v", took)
		}
	}
	scrapes.Wait()
	t.Logf("a scrape that meets %d new sockets took %v beside others", each*holders, time.Since(begin))
	checkSuccess(t, whole)
	for _, scrape := range cut {
		for _, collector := range scrape["server_monitor_scrape_collector_success"].GetMetric() {
			name := rig.LabelsOf(collector)["collector"]
			if rig.Value(collector) != 1 && name != "process" && name != "service" { // both look at processes
				t.Errorf("the collector %s failed beside that of processes", name)
			}
		}
	}
	begin = time.Now()
	checkSuccess(t, m.Scrape(t))
	t.Logf("a scrape that knows them took %v", time.Since(begin))
}
