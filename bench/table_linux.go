package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// kind is how a subject is made.
type kind struct {
	name  string
	start func(o *options) (*subject, error)
	peer  bool
	// ratio tells that its cost is compared with ours.
	ratio bool
}

// ours and floor name the subjects that others are compared with.
const (
	floor = "floor"
	ours  = "server-monitor, HTTP scrape"
)

var kinds = []kind{
	{name: floor, start: loop(floor, "floor")},
	{name: ours, start: func(o *options) (*subject, error) {
		return startServer(ours, "http://127.0.0.1:10042/metrics", o.binary, "--operator.listen-address=127.0.0.1:10043")
	}},
	{name: "  with gzip", start: func(o *options) (*subject, error) {
		s, err := startServer("  with gzip", "http://127.0.0.1:10052/metrics", o.binary,
			"--web.listen-address=127.0.0.1:10052", "--operator.listen-address=127.0.0.1:10053")
		if err == nil {
			s.ask = func() (int, error) { return scrape("http://127.0.0.1:10052/metrics", true) }
		}
		return s, err
	}},
	{name: "  snapshot alone", start: loop("  snapshot alone", "snapshot")},
	{name: "  exposition alone", start: loop("  exposition alone", "exposition")},
	{name: "process-exporter, defaults", peer: true, ratio: true, start: server("process-exporter, defaults",
		"http://127.0.0.1:9256/metrics", "prometheus-process-exporter", "-web.listen-address=127.0.0.1:9256", "-procnames=sleep,memcached,acme-agent")},
	{name: "process-exporter, no threads, no smaps", peer: true, ratio: true, start: server("process-exporter, no threads, no smaps",
		"http://127.0.0.1:9257/metrics", "prometheus-process-exporter", "-web.listen-address=127.0.0.1:9257", "-procnames=sleep,memcached,acme-agent",
		"-threads=false", "-gather-smaps=false")},
	{name: "node_exporter, processes collector", peer: true, ratio: true, start: server("node_exporter, processes collector",
		"http://127.0.0.1:9100/metrics", "prometheus-node-exporter", "--web.listen-address=127.0.0.1:9100",
		"--collector.disable-defaults", "--collector.processes")},
	{name: "gopsutil, same facts", peer: true, ratio: true, start: loop("gopsutil, same facts", "gopsutil")},
}

func loop(name, kind string) func(*options) (*subject, error) {
	return func(*options) (*subject, error) { return startLoop(name, kind) }
}

func server(name, url, program string, args ...string) func(*options) (*subject, error) {
	return func(*options) (*subject, error) { return startServer(name, url, program, args...) }
}

// measureAll prints the tables of all numbers of processes.
func measureAll(o options) error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	fmt.Printf("%s, Linux %s, %d processors, load %s, %s, rows: %s\n", time.Now().UTC().Format(time.RFC3339),
		unix.ByteSliceToString(name.Release[:]), runtime.NumCPU(), load(), runtime.Version(), o.rows)
	if err := measureStart(&o); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	p := &population{rows: o.rows}
	defer func() { p.end(len(p.members)) }()
	for _, n := range o.counts {
		if err := p.grow(n); err != nil {
			return err
		}
		if err := measureOne(&o, p); err != nil {
			return fmt.Errorf("%d processes: %w", n, err)
		}
	}
	return nil
}

// load is how busy the machine is, by proc_loadavg(5).
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// measureOne prints the tables of the present population: where nothing
// happens, and where processes come and go.
func measureOne(o *options, p *population) error {
	var subjects []*subject
	defer func() {
		for _, s := range subjects {
			s.stop()
		}
	}()
	var shown []kind
	for _, k := range kinds {
		if k.peer && !o.peers {
			continue
		}
		s, err := k.start(o)
		if err != nil {
			if !k.peer {
				return err
			}
			fmt.Printf("not measured: %v\n", err)
			continue
		}
		subjects, shown = append(subjects, s), append(shown, k)
	}
	time.Sleep(calm)
	if err := rounds(subjects, nil, warmUp, func() error { return nil }); err != nil {
		return err
	}
	steady := make([]asked, len(subjects))
	if err := rounds(subjects, steady, o.rounds, func() error { return nil }); err != nil {
		return err
	}
	printTable(fmt.Sprintf("%d processes, none comes or goes", len(p.members)), shown, steady, len(p.members), o.markdown)
	if o.churn == 0 {
		return nil
	}
	churned := make([]asked, len(subjects))
	if err := rounds(subjects, churned, o.rounds, func() error { return p.replace(o.churn) }); err != nil {
		return err
	}
	printTable(fmt.Sprintf("%d processes, %d %% end and start between two scrapes", len(p.members), o.churn), shown, churned, len(p.members), o.markdown)
	return nil
}

// calm is how long server-monitor looks twice at what has just started, and
// more.
const calm = 7 * time.Second

// warmUp is how many rounds are not counted.
const warmUp = 3

// rounds asks all subjects so many times, in another order in every round: who
// comes after one that has looked at the same things finds them in the caches of
// the processor, and pays less.
func rounds(subjects []*subject, costs []asked, n int, between func() error) error {
	before := make([]uint64, len(subjects))
	for i, s := range subjects {
		if costs != nil {
			before[i], _ = s.mallocs() // 0 where it does not say
		}
	}
	for range n {
		if err := between(); err != nil {
			return err
		}
		for _, i := range rand.Perm(len(subjects)) {
			s := subjects[i]
			var cost asked
			if costs != nil {
				cost = costs[i]
			}
			if err := s.round(&cost); err != nil {
				return err
			}
			if costs != nil {
				costs[i] = cost
			}
		}
	}
	for i, s := range subjects {
		if costs == nil {
			continue
		}
		after, _ := s.mallocs()
		costs[i].mallocs, costs[i].tellings = after-before[i], s.telling
		var err error
		if costs[i].resident, costs[i].peak, err = residentOf(s.cmd.Process.Pid); err != nil {
			return err
		}
	}
	return nil
}

// printTable prints what the subjects have cost.
func printTable(title string, shown []kind, costs []asked, processes int, markdown bool) {
	var least, own time.Duration
	for i, k := range shown {
		switch k.name {
		case floor:
			least = costs[i].each()
		case ours:
			own = costs[i].each()
		}
	}
	g := grid{title: fmt.Sprintf("%s (load %s)", title, load()), heads: []string{
		"CPU ms", "CPU µs/process", "wall ms", "RSS MiB", "peak MiB", "allocations/process", "KB", "floors", "times ours",
	}}
	for i, k := range shown {
		c := &costs[i]
		times := ""
		if k.ratio {
			times = fmt.Sprintf("%.1f", ratio(c.each(), own))
		}
		format := func(format string, value float64) string { return fmt.Sprintf(format, value) }
		g.add(k.name, format("%.2f", milli(c.each())), format("%.2f", milli(c.each())*1000/float64(processes)),
			format("%.1f", milli(c.wall/time.Duration(max(1, c.rounds)))), format("%.1f", float64(c.resident)/(1<<20)),
			format("%.1f", float64(c.peak)/(1<<20)), perProcess(c, processes), format("%.0f", float64(c.bytes)/1000),
			format("%.2f", ratio(c.each(), least)), times)
	}
	g.print(os.Stdout, markdown)
}

// each is the processor time of one asking.
func (a *asked) each() time.Duration { return a.cpu / time.Duration(max(1, a.rounds)) }

func perProcess(a *asked, processes int) string {
	if a.mallocs == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", float64(a.mallocs)/float64((a.rounds+a.tellings)*processes))
}

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(cmp.Or(b, 1)) }
