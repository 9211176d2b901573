package resources

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"server-monitor/collector"
)

// gauges gathers what is written in the text format, without the namespace.
func gauges(t *testing.T, text string) Gather {
	t.Helper()
	families := make(map[string]*dto.MetricFamily)
	for line := range strings.Lines(text) {
		series, number, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Fatal(err)
		}
		name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
		m := &dto.Metric{Gauge: &dto.Gauge{Value: &value}}
		for pair := range strings.SplitSeq(labels, ",") {
			if key, value, ok := strings.Cut(pair, "="); ok {
				value = strings.Trim(value, `"`)
				m.Label = append(m.Label, &dto.LabelPair{Name: &key, Value: &value})
			}
		}
		name = namespace + name
		if families[name] == nil {
			families[name] = &dto.MetricFamily{Name: &name}
		}
		families[name].Metric = append(families[name].Metric, m)
	}
	return func(context.Context) ([]*dto.MetricFamily, error) { return slices.Collect(maps.Values(families)), nil }
}

// TestNames holds the names that are read against those that collectors publish.
func TestNames(t *testing.T) {
	published := make(map[string]string)
	for _, d := range collector.Definitions() {
		published[d.Name] = d.Collector
	}
	for _, name := range []string{
		cpuSeconds, cpuCores, load1, load5, load15, memoryTotal, memoryAvailable, memoryUsed, memoryBuffers, memoryCached, swapTotal, swapUsed,
		filesystemSize, filesystemAvailable, filesystemUsed, filesystemFiles, filesystemFilesFree, filesystemReadonly, filesystemError, bootTime,
	} {
		if from, ok := published[namespace+name]; !ok || !slices.Contains(Collectors, from) {
			t.Errorf("%s is of collector %q", name, from)
		}
	}
}

func take(t *testing.T, text string) *Resources {
	t.Helper()
	k := NewKeeper(gauges(t, text))
	k.now = func() time.Time { return time.Unix(1_000_000, 0) }
	r, err := k.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const healthy = `
	cpu_logical_processors 4
	cpu_seconds_total{mode="user"} 100
	cpu_seconds_total{mode="idle"} 900
	load1 0.4
	load5 0.3
	load15 0.2
	memory_total_bytes 1000
	memory_used_bytes 400
	memory_available_bytes 600
	memory_buffers_bytes 10
	memory_cached_bytes 20
	swap_total_bytes 100
	swap_used_bytes 10
	filesystem_size_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"} 1100
	filesystem_used_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"} 200
	filesystem_available_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"} 800
	filesystem_files{device="/dev/sda1",fstype="ext4",mountpoint="/"} 1000
	filesystem_files_free{device="/dev/sda1",fstype="ext4",mountpoint="/"} 900
	filesystem_readonly{device="/dev/sda1",fstype="ext4",mountpoint="/"} 0
	filesystem_device_error{device="/dev/sda1",fstype="ext4",mountpoint="/"} 0
	boot_time_seconds 913500
`

func TestResources(t *testing.T) {
	text, err := json.Marshal(take(t, healthy))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"taken":"1970-01-12T13:46:40Z","health":"good",` +
		`"cpu":{"ratio":null,"interval_seconds":null,"cores":4,"health":null},` +
		`"load":{"load1":0.4,"load5":0.3,"load15":0.2,"per_core":0.1,"health":"good"},` +
		`"memory":{"total_bytes":1000,"used_bytes":400,"available_bytes":600,"buffers_bytes":10,"cached_bytes":20,"ratio":0.4,"health":"good"},` +
		`"swap":{"total_bytes":100,"used_bytes":10,"ratio":0.1,"health":"good"},` +
		`"filesystems":[{"mountpoint":"/","device":"/dev/sda1","fstype":"ext4","size_bytes":1100,"used_bytes":200,"available_bytes":800,` +
		`"ratio":0.2,"files_ratio":0.1,"read_only":false,"answers":true,"health":"good"}],` +
		`"uptime":{"boot_time":"1970-01-11T13:45:00Z","seconds":86500,"text":"1D+00:01"}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestNothingIsKnown(t *testing.T) {
	text, err := json.Marshal(take(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"good", "warn", "bad", ":0"} {
		if strings.Contains(strings.ReplaceAll(string(text), ":00Z", ""), word) {
			t.Errorf("%s in %s", word, text)
		}
	}
	if !strings.Contains(string(text), `"filesystems":[]`) {
		t.Errorf("no list of file systems in %s", text)
	}
}

func TestColours(t *testing.T) {
	fs := func(values string) string {
		var all strings.Builder
		for pair := range strings.FieldsSeq(values) {
			name, value, _ := strings.Cut(pair, "=")
			all.WriteString("filesystem_" + name + `{device="d",fstype="f",mountpoint="/m"} ` + value + "\n")
		}
		return all.String()
	}
	for name, c := range map[string]struct {
		text string
		of   func(r *Resources) Health
		want Health
	}{
		"memory below 70 %":      {"memory_total_bytes 1000\nmemory_used_bytes 699\n", func(r *Resources) Health { return r.Memory.Health }, Good},
		"memory at 70 %":         {"memory_total_bytes 1000\nmemory_used_bytes 700\n", func(r *Resources) Health { return r.Memory.Health }, Warn},
		"memory at 90 %":         {"memory_total_bytes 1000\nmemory_used_bytes 900\n", func(r *Resources) Health { return r.Memory.Health }, Bad},
		"no swap":                {"swap_total_bytes 0\nswap_used_bytes 0\n", func(r *Resources) Health { return r.Swap.Health }, Good},
		"swap is full":           {"swap_total_bytes 10\nswap_used_bytes 10\n", func(r *Resources) Health { return r.Swap.Health }, Bad},
		"load below the cores":   {"cpu_logical_processors 4\nload1 3.9\n", func(r *Resources) Health { return r.Load.Health }, Good},
		"load of the cores":      {"cpu_logical_processors 4\nload1 4\n", func(r *Resources) Health { return r.Load.Health }, Warn},
		"twice the cores":        {"cpu_logical_processors 4\nload1 8\n", func(r *Resources) Health { return r.Load.Health }, Bad},
		"load, cores unknown":    {"load1 8\n", func(r *Resources) Health { return r.Load.Health }, Unknown},
		"disk is nearly full":    {fs("used_bytes=95 available_bytes=5"), func(r *Resources) Health { return r.FileSystems[0].Health }, Bad},
		"inodes are nearly used": {fs("used_bytes=5 available_bytes=95 files=100 files_free=25"), func(r *Resources) Health { return r.FileSystems[0].Health }, Warn},
		"an image is full":       {fs("used_bytes=100 available_bytes=0 readonly=1"), func(r *Resources) Health { return r.FileSystems[0].Health }, Good},
		"disk does not answer":   {fs("device_error=1 readonly=1"), func(r *Resources) Health { return r.FileSystems[0].Health }, Warn},
		"empty file system":      {fs("used_bytes=0 available_bytes=0"), func(r *Resources) Health { return r.FileSystems[0].Health }, Unknown},
		"the worst counts":       {"memory_total_bytes 10\nmemory_used_bytes 8\n" + fs("used_bytes=95 available_bytes=5"), func(r *Resources) Health { return r.Health }, Bad},
		"no number":              {"memory_total_bytes 1000\nmemory_used_bytes NaN\n", func(r *Resources) Health { return r.Memory.Health }, Unknown},
	} {
		if got := c.of(take(t, c.text)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestBusy(t *testing.T) {
	sum := func(user, idle, iowait float64) coreTimes {
		return coreTimes{"": {"user": user, "idle": idle, "iowait": iowait}}
	}
	for name, c := range map[string]struct {
		before, now coreTimes
		want        float64 // below 0 for unknown
	}{
		"one reading":     {nil, sum(1, 1, 1), -1},
		"a quarter":       {sum(10, 100, 0), sum(20, 120, 10), 0.25},
		"idle":            {sum(10, 100, 0), sum(10, 120, 0), 0},
		"all busy":        {sum(10, 100, 0), sum(20, 100, 0), 1},
		"no time passed":  {sum(10, 100, 0), sum(10, 100, 0), -1},
		"a counter fell":  {sum(10, 100, 0), sum(9, 120, 0), -1},
		"a core is new":   {coreTimes{"0": {"user": 1, "idle": 1}}, coreTimes{"0": {"user": 2, "idle": 2}, "1": {"user": 900, "idle": 0}}, 0.5},
		"a core has gone": {coreTimes{"0": {"user": 1, "idle": 1}, "1": {"user": 900, "idle": 0}}, coreTimes{"0": {"user": 2, "idle": 2}}, 0.5},
	} {
		got := busy(c.before, c.now)
		if (got == nil) != (c.want < 0) || got != nil && *got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestDays(t *testing.T) {
	for span, want := range map[time.Duration]string{
		0: "0D+00:00", 59 * time.Second: "0D+00:00", 3*time.Hour + 35*time.Minute: "0D+03:35", 24 * time.Hour: "1D+00:00",
		400*24*time.Hour + 23*time.Hour + 59*time.Minute + 59*time.Second: "400D+23:59",
	} {
		if got := days(span); got != want {
			t.Errorf("%v: %q, want %q", span, got, want)
		}
	}
}

// ticking gathers processor times that are busy for a quarter of the time.
type ticking struct {
	begin    time.Time
	gathered atomic.Int64
	fails    bool
}

func (g *ticking) gather(context.Context) ([]*dto.MetricFamily, error) {
	g.gathered.Add(1)
	time.Sleep(10 * time.Millisecond)
	if g.fails {
		return nil, errors.New("no")
	}
	passed := time.Since(g.begin).Seconds()
	counter := func(mode string, v float64) *dto.Metric {
		name := "mode"
		return &dto.Metric{Label: []*dto.LabelPair{{Name: &name, Value: &mode}}, Counter: &dto.Counter{Value: &v}}
	}
	name := namespace + cpuSeconds
	return []*dto.MetricFamily{{Name: &name, Metric: []*dto.Metric{counter("user", passed/4), counter("idle", passed*3/4)}}}, nil
}

func TestKeeperComparesReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &ticking{begin: time.Now()}
		k := NewKeeper(g.gather)
		ratio := func() *float64 {
			r, err := k.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return r.CPU.Ratio
		}
		if r := ratio(); r != nil {
			t.Errorf("ratio %v of one reading", *r)
		}
		time.Sleep(2 * time.Second)
		if r := ratio(); r == nil || *r < 0.249 || *r > 0.251 {
			t.Errorf("ratio %v", r)
		}
		time.Sleep(oldest + time.Second)
		if r := ratio(); r != nil {
			t.Errorf("ratio %v, compared with a reading of long ago", *r)
		}
	})
}

func TestKeeperSharesReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &ticking{begin: time.Now()}
		k := NewKeeper(g.gather)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { _, _ = k.Take(t.Context()) })
		}
		wg.Wait()
		time.Sleep(shared / 2)
		first, _ := k.Take(t.Context())
		again, _ := k.Take(t.Context())
		if n := g.gathered.Load(); n != 1 || first != again {
			t.Errorf("%d readings for those who asked together", n)
		}
		time.Sleep(shared)
		if later, _ := k.Take(t.Context()); later == first || g.gathered.Load() != 2 {
			t.Error("an old reading is handed out")
		}
	})
}

func TestKeeperFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &ticking{begin: time.Now(), fails: true}
		k := NewKeeper(g.gather)
		if _, err := k.Take(t.Context()); err == nil {
			t.Error("no error")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := k.Take(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		g.fails = false
		if _, err := k.Take(t.Context()); err != nil {
			t.Errorf("still %v", err)
		}
	})
}
