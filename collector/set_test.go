package collector

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"server-monitor/internal/inventory"
	"server-monitor/internal/policy"
	"server-monitor/internal/risk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// updateFunc is a collector that counts how often it is started.
type updateFunc struct {
	started atomic.Int32
	update  func(ctx context.Context, ch chan<- prometheus.Metric) error
}

func (u *updateFunc) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	u.started.Add(1)
	return u.update(ctx, ch)
}

// testMetric is declared without [define]: it is no metric of the program's.
var testMetric = newMetric("test_value", "A test.", prometheus.GaugeValue, "from")

// says is a collector that publishes one sample.
func says(name string) *updateFunc {
	return &updateFunc{update: func(_ context.Context, ch chan<- prometheus.Metric) error {
		testMetric.send(ch, 1, name)
		return nil
	}}
}

// outcome is what a scrape told of collectors.
type outcome struct {
	Values  []string           // who sent a sample
	Success map[string]float64 // by collector
}

// scrape gathers a selection as an exporter does.
func scrape(ctx context.Context, t *testing.T, s *Set, include, exclude []string) outcome {
	t.Helper()
	selected, err := s.Select(ctx, include, exclude)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(selected)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := outcome{Success: map[string]float64{}}
	durations := 0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			label := m.GetLabel()[0].GetValue()
			switch f.GetName() {
			case namespace + "_test_value":
				got.Values = append(got.Values, label)
			case namespace + "_scrape_collector_success":
				got.Success[label] = m.GetGauge().GetValue()
			case namespace + "_scrape_collector_duration_seconds":
				durations++
			}
		}
	}
	if durations != len(got.Success) {
		t.Errorf("%d durations for %d collectors", durations, len(got.Success))
	}
	return got
}

func wantOutcome(t *testing.T, got, want outcome) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scrape (-want +got):\n%s", diff)
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestSetSelect(t *testing.T) {
	set := NewSet(discard(), map[string]Collector{"cpu": says("cpu"), "load": says("load"), "boot": says("boot")})
	if want := []string{"boot", "cpu", "load"}; !slices.Equal(set.Names(), want) {
		t.Errorf("names %v, want %v", set.Names(), want)
	}
	cases := []struct {
		name             string
		include, exclude []string
		want             []string
		err              string
	}{
		{name: "all", want: []string{"boot", "cpu", "load"}},
		{name: "some", include: []string{"load", "boot"}, want: []string{"boot", "load"}},
		{name: "one twice", include: []string{"cpu", "cpu"}, want: []string{"cpu"}},
		{name: "all but one", exclude: []string{"cpu"}, want: []string{"boot", "load"}},
		{name: "all but all", exclude: []string{"cpu", "load", "boot"}},
		{name: "unknown", include: []string{"cpu", "gpu"}, err: `"gpu"`},
		{name: "unknown excluded", exclude: []string{"gpu"}, err: `"gpu"`},
		{name: "empty name", include: []string{""}, err: `""`},
		{name: "both", include: []string{"cpu"}, exclude: []string{"load"}, err: "together"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.err != "" {
				if _, err := set.Select(t.Context(), c.include, c.exclude); err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want one with %s", err, c.err)
				}
				return
			}
			want := outcome{Values: c.want, Success: map[string]float64{}}
			for _, name := range c.want {
				want.Success[name] = 1
			}
			wantOutcome(t, scrape(t.Context(), t, set, c.include, c.exclude), want)
		})
	}
}

// TestSetFailures has collectors fail in every way beside one that works.
// What a collector sent before it failed must not be seen.
func TestSetFailures(t *testing.T) {
	failing := func(err error) *updateFunc {
		return &updateFunc{update: func(_ context.Context, ch chan<- prometheus.Metric) error {
			testMetric.send(ch, 1, "half")
			return err
		}}
	}
	panicking := func(value any) *updateFunc {
		return &updateFunc{update: func(_ context.Context, ch chan<- prometheus.Metric) error {
			testMetric.send(ch, 1, "half")
			panic(value)
		}}
	}
	badLabel := &updateFunc{update: func(_ context.Context, ch chan<- prometheus.Metric) error {
		testMetric.send(ch, 1, "\xff")
		return nil
	}}
	var log bytes.Buffer
	set := NewSet(slog.New(slog.NewTextHandler(&log, nil)), map[string]Collector{
		"works": says("works"), "fails": failing(errors.New("no such file")), "nodata": failing(ErrNoData),
		"panics": panicking("index out of range"), "panics-error": panicking(errors.New("nil map")), "bytes": badLabel,
	})
	for range 2 { // the second scrape starts all of them again
		wantOutcome(t, scrape(t.Context(), t, set, nil, nil), outcome{
			Values:  []string{"works"},
			Success: map[string]float64{"works": 1, "fails": 0, "nodata": 1, "panics": 0, "panics-error": 0, "bytes": 0},
		})
	}
	for _, want := range []string{"no such file", "index out of range", "nil map", "collector=bytes"} {
		if n := strings.Count(log.String(), want); n < 2 {
			t.Errorf("%q is %d times in the log, want it for each scrape:\n%s", want, n, log.String())
		}
	}
	if strings.Contains(log.String(), "nodata") {
		t.Errorf("a collector without data is in the log:\n%s", log.String())
	}
}

// TestSetCutOff has one collector be slower than the scrape may take. The rest
// is served in time, with a word on the slow one.
func TestSetCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &updateFunc{update: func(_ context.Context, ch chan<- prometheus.Metric) error {
			testMetric.send(ch, 1, "slow")
			time.Sleep(10 * time.Second)
			return nil
		}}
		var log bytes.Buffer
		set := NewSet(slog.New(slog.NewTextHandler(&log, nil)), map[string]Collector{"slow": slow, "works": says("works")})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		wantOutcome(t, scrape(ctx, t, set, nil, nil), outcome{
			Values: []string{"works"}, Success: map[string]float64{"slow": 0, "works": 1},
		})
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("the scrape took %v", took)
		}
		if !strings.Contains(log.String(), "cut off") || !strings.Contains(log.String(), "collector=slow") {
			t.Errorf("log:\n%s", log.String())
		}
		// A patient scrape that comes meanwhile waits for the same run.
		wantOutcome(t, scrape(t.Context(), t, set, []string{"slow"}, nil), outcome{
			Values: []string{"slow"}, Success: map[string]float64{"slow": 1},
		})
		if took := time.Since(begin); took != 10*time.Second || slow.started.Load() != 1 {
			t.Errorf("%d runs, the last over after %v", slow.started.Load(), took)
		}
	})
}

// TestSetStuck has a collector hang as a read of /proc does that waits for a
// lock of the kernel. It is never started a second time beside the first, and
// works again once it is back.
func TestSetStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var told atomic.Bool
		stuck := &updateFunc{update: func(ctx context.Context, ch chan<- prometheus.Metric) error {
			<-release
			told.Store(ctx.Err() != nil)
			testMetric.send(ch, 1, "stuck")
			return nil
		}}
		set := NewSet(discard(), map[string]Collector{"stuck": stuck, "works": says("works")})
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			wantOutcome(t, scrape(ctx, t, set, nil, nil), outcome{
				Values: []string{"works"}, Success: map[string]float64{"stuck": 0, "works": 1},
			})
			cancel()
		}
		if n := stuck.started.Load(); n != 1 {
			t.Errorf("started %d times, want once", n)
		}
		close(release)
		synctest.Wait()
		if !told.Load() {
			t.Error("nobody told the collector that no scrape waits for it any more")
		}
		wantOutcome(t, scrape(t.Context(), t, set, nil, nil), outcome{
			Values: []string{"stuck", "works"}, Success: map[string]float64{"stuck": 1, "works": 1},
		})
	})
}

// TestSetShared has many scrapes at once: each gets all samples of the one run.
func TestSetShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := &updateFunc{update: func(_ context.Context, ch chan<- prometheus.Metric) error {
			time.Sleep(time.Second)
			testMetric.send(ch, 1, "one")
			return nil
		}}
		set := NewSet(discard(), map[string]Collector{"one": one})
		var scrapes sync.WaitGroup
		for range 20 {
			scrapes.Go(func() {
				wantOutcome(t, scrape(t.Context(), t, set, nil, nil), outcome{
					Values: []string{"one"}, Success: map[string]float64{"one": 1},
				})
			})
		}
		scrapes.Wait()
		if n := one.started.Load(); n != 1 {
			t.Errorf("started %d times, want once", n)
		}
	})
}

// TestSetOver checks a scrape that was over before it began.
func TestSetOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		block := &updateFunc{update: func(ctx context.Context, _ chan<- prometheus.Metric) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}}
		wantOutcome(t, scrape(ctx, t, NewSet(discard(), map[string]Collector{"block": block}), nil, nil),
			outcome{Success: map[string]float64{"block": 0}})
		time.Sleep(flightLimit)
	})
}

func TestDefinitions(t *testing.T) {
	all := Definitions()
	seen := map[string]bool{}
	for i, d := range all {
		if seen[d.Name] {
			t.Errorf("%s is declared twice", d.Name)
		}
		seen[d.Name] = true
		if i > 0 && all[i-1].Name > d.Name {
			t.Errorf("%s stands before %s", all[i-1].Name, d.Name)
		}
		if !strings.HasPrefix(d.Name, namespace+"_") || d.Help == "" || !strings.HasSuffix(d.Help, ".") {
			t.Errorf("%s: %q", d.Name, d.Help)
		}
		counter := d.Type == dto.MetricType_COUNTER
		if counter != strings.HasSuffix(d.Name, "_total") {
			t.Errorf("%s: only counters end in _total, and all of them do", d.Name)
		}
		for _, label := range d.Labels {
			if slices.Contains([]string{"service", "owner", "env", "type", "cluster", "job", "instance"}, label) {
				t.Errorf("%s: people put the label %s on targets", d.Name, label)
			}
		}
	}
	if len(all) < 50 {
		t.Errorf("%d metrics", len(all))
	}
}

// TestOneScrapeSeesOneInventory has two collectors ask for the processes in one
// scrape, the second long after the first was answered: both are given the same,
// and the next scrape another.
func TestOneScrapeSeesOneInventory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper := inventory.NewKeeper(idle(3), risk.NewJudge(risk.Criteria{HighMemoryRatio: 1}), policy.Fixed{Set: policy.NewSet(policy.Linux)})
		seen := make(map[*inventory.Inventory]int)
		var mu sync.Mutex
		asks := func(after time.Duration) *updateFunc {
			return &updateFunc{update: func(ctx context.Context, _ chan<- prometheus.Metric) error {
				time.Sleep(after)
				taken, err := keeper.Take(ctx)
				mu.Lock()
				defer mu.Unlock()
				seen[taken]++
				return err
			}}
		}
		set := NewSet(discard(), map[string]Collector{"first": asks(0), "second": asks(time.Second)})
		for round := 1; round <= 3; round++ {
			wantOutcome(t, scrape(t.Context(), t, set, nil, nil), outcome{Success: map[string]float64{"first": 1, "second": 1}})
			if len(seen) != round {
				t.Errorf("%d inventories in %d scrapes", len(seen), round)
			}
		}
		for _, times := range seen {
			if times != 2 {
				t.Errorf("one was given %d times", times)
			}
		}
	})
}
