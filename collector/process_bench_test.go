package collector

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"server-monitor/internal/inventory"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

// idleSource gives the same processes again and again, each time with a little
// more processor time, as a machine does on which nothing starts or ends.
type idleSource struct {
	processes []process.Process
	still     bool // nothing is spent any more
}

func (s *idleSource) Snapshot(context.Context) (*process.Snapshot, error) {
	for i := range s.processes {
		if !s.still {
			s.processes[i].CPUSeconds += 0.01
		}
	}
	return &process.Snapshot{Taken: testBegin, MemoryTotal: testMemory, Processes: slices.Clone(s.processes)}, nil
}

// idle makes so many processes in 60 groups, one in 50 of which is worth a row.
func idle(n int) *idleSource {
	s := &idleSource{}
	for pid := range n {
		j := tool(1+pid, named(fmt.Sprint("tool", pid%20)), of(fmt.Sprint("user", pid%3)))
		if pid%50 == 0 {
			listening(process.TCP, "0.0.0.0:80", "[::]:80")(&j)
		}
		s.processes = append(s.processes, j.Process)
	}
	return s
}

// BenchmarkProcess is what a scrape costs beside the reading of /proc: the
// judgements, which all hold, and the collector alone; and with the registry
// and the text that is sent.
func BenchmarkProcess(b *testing.B) {
	for _, n := range []int{300, 3000, 10000} {
		keeper := inventory.NewKeeper(idle(n), risk.NewJudge(risk.Criteria{HighMemoryRatio: 1}), policy.Fixed{Set: policy.NewSet(policy.Linux, policy.Document{
			Name: "tool", Platform: policy.Linux, Policy: policy.Policy{Terminatable: true},
		})})
		c := NewProcess(keeper, testConfig(), discard())
		b.Run(fmt.Sprintf("update/%d", n), func(b *testing.B) {
			benchmarkScrape(b, n, func() error {
				_, err := gather(b.Context(), c)
				return err
			})
		})
		set := NewSet(discard(), map[string]Collector{"process": c})
		b.Run(fmt.Sprintf("scrape/%d", n), func(b *testing.B) {
			benchmarkScrape(b, n, func() error { return scrapeText(set) })
		})
	}
}

func benchmarkScrape(b *testing.B, processes int, scrape func() error) {
	b.Helper()
	if err := scrape(); err != nil { // what is kept from scrape to scrape
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := scrape(); err != nil {
			b.Fatal(err)
		}
	}
	perOp := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(perOp/float64(processes), "ns/process")
}

// scrapeText does what the handler of /metrics does.
func scrapeText(set *Set) error {
	selected, err := set.Select(context.Background(), nil, nil)
	if err != nil {
		return err
	}
	pageOfBench, err = selected.AppendText(pageOfBench[:0])
	return err
}

var pageOfBench []byte
