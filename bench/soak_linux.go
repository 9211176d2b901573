package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// The soak: processes that live briefly, many a second, and a scrape every
// second.
const (
	soakURL       = "http://127.0.0.1:10042/metrics"
	soakProcesses = 300
	soakWorkers   = 60
	soakPerSecond = 500
)

// sample is what the monitor uses at one moment.
type sample struct {
	descriptors, goroutines int
	resident, heap          float64
	took                    time.Duration
}

// soak scrapes while processes come and go, and looks for errors, contradictions
// and leaks.
func soak(o options) error {
	p := &population{rows: o.rows}
	defer func() { p.end(len(p.members)) }()
	if err := p.grow(soakProcesses); err != nil {
		return err
	}
	program, args := o.binary, []string{"--operator.listen-address=127.0.0.1:10043"}
	if o.descriptors > 0 {
		program, args = "prlimit", append([]string{"--nofile=" + strconv.Itoa(o.descriptors), "--", o.binary}, args...)
	}
	monitor, err := startServer("server-monitor", soakURL, program, args...)
	if err != nil {
		return err
	}
	defer monitor.stop()
	stop, started := churn()
	defer stop()

	var samples []sample
	var last map[string]float64
	begin := time.Now()
	end := begin.Add(time.Duration(o.seconds) * time.Second)
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for time.Now().Before(end) {
		<-ticks.C
		one, values, err := soakOnce(monitor.cmd.Process.Pid)
		if err == nil {
			err = errors.Join(agree(values), follow(last, values))
		}
		if err != nil {
			return fmt.Errorf("scrape %d: %w", len(samples)+1, err)
		}
		last = values
		samples = append(samples, one)
	}
	fmt.Printf("%d scrapes, %d processes came and went (%.0f a second)\n",
		len(samples), started.Load(), float64(started.Load())/time.Since(begin).Seconds())
	if said := monitor.errors(); said != "" {
		return fmt.Errorf("it logged: %s", said)
	}
	return judgeSoak(samples)
}

// churn starts processes that live for some milliseconds, about as many a second
// as the soak wants.
func churn() (stop func(), started *atomic.Int64) {
	started = new(atomic.Int64)
	done := make(chan struct{})
	var workers sync.WaitGroup
	for range soakWorkers {
		workers.Go(func() {
			pace := time.NewTicker(soakWorkers * time.Second / soakPerSecond)
			defer pace.Stop()
			for {
				select {
				case <-done:
					return
				case <-pace.C:
				}
				one, err := os.StartProcess("/usr/bin/sleep", []string{"sleep", "0.02"}, &os.ProcAttr{Dir: "/"})
				if err != nil {
					continue
				}
				_, _ = one.Wait()
				started.Add(1)
			}
		})
	}
	return func() {
		close(done)
		workers.Wait()
	}, started
}

// soakOnce scrapes, and looks at what the monitor uses.
func soakOnce(pid int) (sample, map[string]float64, error) {
	begin := time.Now()
	response, err := request(soakURL, false)
	if err != nil {
		return sample{}, nil, err
	}
	defer response.Body.Close()
	values, err := parseSeries(response.Body)
	if err != nil {
		return sample{}, nil, err
	}
	one := sample{took: time.Since(begin), goroutines: int(values["go_goroutines"]), heap: values["go_memstats_heap_alloc_bytes"]}
	open, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		return one, nil, err
	}
	resident, _, err := residentOf(pid)
	one.descriptors, one.resident = len(open), float64(resident)
	return one, values, err
}

// judgeSoak compares the beginning, once warm, with the end.
func judgeSoak(samples []sample) error {
	part := len(samples) / 4
	if part == 0 {
		return errors.New("too short to tell")
	}
	first, last := samples[part:2*part], samples[len(samples)-part:]
	var problems []error
	for _, figure := range []struct {
		name  string
		of    func(s sample) float64
		slack float64 // what is no leak
	}{
		{"descriptors", func(s sample) float64 { return float64(s.descriptors) }, 100}, // of processes that had not ended yet
		{"goroutines", func(s sample) float64 { return float64(s.goroutines) }, 5},
		{"resident MiB", func(s sample) float64 { return s.resident / (1 << 20) }, 6},
		{"heap MiB", func(s sample) float64 { return s.heap / (1 << 20) }, 5},
		{"scrape ms", func(s sample) float64 { return milli(s.took) }, 1e9},
	} {
		before, after := median(first, figure.of), median(last, figure.of)
		fmt.Printf("%-14s %8.1f in the second quarter, %8.1f in the last, %8.1f at most\n", figure.name, before, after, most(samples, figure.of))
		if after > before+figure.slack {
			problems = append(problems, fmt.Errorf("%s grew from %.1f to %.1f", figure.name, before, after))
		}
	}
	return errors.Join(problems...)
}

func median(samples []sample, of func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func most(samples []sample, of func(sample) float64) float64 {
	var highest float64
	for _, s := range samples {
		highest = max(highest, of(s))
	}
	return highest
}
