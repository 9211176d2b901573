package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"server-monitor/collector"
	"server-monitor/internal/inventory"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

// realHandler serves this machine as the program does with its default flags.
func realHandler(tb testing.TB) http.Handler {
	tb.Helper()
	var out bytes.Buffer
	app, c := newApp(&out, &out)
	command, err := app.Parse(nil)
	if err == nil {
		err = c.check(command)
	}
	if err != nil {
		tb.Fatal(err)
	}
	parts, err := assemble(c, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(parts.close)
	set, err := parts.collectors(c, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	return newMetricsHandler(set, &c.serve, slog.New(slog.DiscardHandler)).instrumented(&c.serve)
}

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// sleepersSource gives so many processes that sleep, each with a little more
// processor time than before, one in a hundred of which is worth a row.
type sleepersSource struct{ processes []process.Process }

func (s *sleepersSource) Snapshot(context.Context) (*process.Snapshot, error) {
	for i := range s.processes {
		s.processes[i].CPUSeconds += 0.01
	}
	return &process.Snapshot{Taken: time.Unix(1e9, 0), MemoryTotal: 1 << 34, Processes: slices.Clone(s.processes)}, nil
}

func manySleepers(n int) *sleepersSource {
	s := &sleepersSource{}
	for i := range n {
		uid := 1000 + i%20
		facts := &process.Facts{Name: "sleep", Exe: "/usr/bin/sleep", Root: "/", UID: uid, User: "user" + strconv.Itoa(uid)}
		if i%100 == 0 {
			facts.Name, facts.Exe = "unheard-of", "/usr/bin/unheard-of"
		}
		s.processes = append(s.processes, process.Process{
			Identity: process.Identity{PID: 100 + i, StartTicks: uint64(i), Boot: "0123abcd"}, Comm: facts.Name,
			State: process.Sleeping, ResidentBytes: 1 << 20, Threads: 1, Facts: facts,
		})
	}
	return s
}

// sleepersHandler serves only them.
func sleepersHandler(n int) http.Handler {
	logger := slog.New(slog.DiscardHandler)
	keeper := inventory.NewKeeper(manySleepers(n), risk.NewJudge(risk.Criteria{HighMemoryRatio: 1}),
		policy.Fixed{Set: policy.NewSet(policy.Linux, policy.Catalogue()...)})
	set := collector.NewSet(logger, map[string]collector.Collector{"process": collector.NewProcess(keeper, collector.ProcessConfig{
		MemoryThreshold: collector.DefaultMemoryThreshold, MaxPIDs: collector.DefaultMaxPIDs, MaxGroups: collector.DefaultMaxGroups, Language: "en",
	}, logger)})
	s := &serveConfig{}
	return newMetricsHandler(set, s, logger).instrumented(s)
}

// scrapeAllocations is how many objects a scrape in steady state allocates.
func scrapeAllocations(t *testing.T, handler http.Handler) float64 {
	t.Helper()
	ask := func() {
		handler.ServeHTTP(&discard{http.Header{}}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	}
	for range 3 {
		ask()
	}
	return testing.AllocsPerRun(20, ask)
}

// TestScrapeHardlyAllocates holds a whole scrape, from the judging to the text,
// to a number of allocations that hardly depends on how many processes there are.
func TestScrapeHardlyAllocates(t *testing.T) {
	few, many := scrapeAllocations(t, sleepersHandler(1000)), scrapeAllocations(t, sleepersHandler(10000))
	t.Logf("%.0f allocations with 1,000 processes, %.0f with 10,000", few, many)
	if few > 1000 {
		t.Errorf("%.0f allocations with 1,000 processes, want as many at most", few)
	}
	if many > few+500 {
		t.Errorf("%.0f allocations with 10,000 processes, %.0f with 1,000", many, few)
	}
}

// BenchmarkScrape is a whole scrape of this machine with the default flags.
func BenchmarkScrape(b *testing.B) {
	handler := realHandler(b)
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(&discard{http.Header{}}, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/metrics", nil))
	}
}
