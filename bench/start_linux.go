package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// starts is how often the program is started to see how long that takes.
const starts = 20

// The address of what is started for that.
const (
	startAddress  = "127.0.0.1:10062"
	startOperator = "127.0.0.1:10063"
)

// startCost is what one start has cost.
type startCost struct {
	ready, spent time.Duration
	before, rest uint64 // resident before the first scrape, and at rest after ten
}

// measureStart prints how long server-monitor takes until it is ready, without
// MongoDB, and what it holds at rest, where there are hardly any processes.
func measureStart(o *options) error {
	var costs []startCost
	for i := range starts {
		cost, err := startOnce(o.binary, i == starts-1)
		if err != nil {
			return err
		}
		costs = append(costs, cost)
	}
	g := grid{title: fmt.Sprintf("%d starts without MongoDB, and at rest (load %s)", starts, load()), heads: []string{"least", "median", "most"}}
	row := func(name string, of func(c *startCost) float64) {
		var all []float64
		for i := range costs {
			all = append(all, of(&costs[i]))
		}
		least, middle, most := spread(all)
		g.add(name, fmt.Sprintf("%.1f", least), fmt.Sprintf("%.1f", middle), fmt.Sprintf("%.1f", most))
	}
	row("ready after ms", func(c *startCost) float64 { return milli(c.ready) })
	row("CPU ms until then", func(c *startCost) float64 { return milli(c.spent) })
	row("RSS MiB when ready", func(c *startCost) float64 { return float64(c.before) / (1 << 20) })
	last := &costs[len(costs)-1]
	rest := fmt.Sprintf("%.1f", float64(last.rest)/(1<<20))
	g.add("RSS MiB at rest after ten scrapes", rest, rest, rest)
	g.print(os.Stdout, o.markdown)
	return nil
}

// spread is the least, the median and the most of numbers.
func spread(all []float64) (least, middle, most float64) {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1]
}

// startOnce starts the program, waits until it is ready and ends it; before that
// it lets it come to rest where that is wanted.
func startOnce(binary string, rest bool) (cost startCost, err error) {
	cmd := exec.Command(binary, "--web.listen-address="+startAddress, "--operator.listen-address="+startOperator)
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return cost, err
	}
	s := &subject{name: "start", cmd: cmd}
	defer s.stop()
	if err := untilReady("http://" + startAddress + "/-/ready"); err != nil {
		return cost, err
	}
	cost.ready = time.Since(begin)
	if cost.spent, err = cpuOf(cmd.Process.Pid); err != nil {
		return cost, err
	}
	time.Sleep(settle)
	if cost.before, _, err = residentOf(cmd.Process.Pid); err != nil || !rest {
		return cost, err
	}
	for range 10 {
		if _, err := scrape("http://"+startAddress+"/metrics", true); err != nil {
			return cost, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(time.Second)
	cost.rest, _, err = residentOf(cmd.Process.Pid)
	return cost, err
}

// untilReady asks until it is answered.
func untilReady(url string) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(500 * time.Microsecond) {
		response, err := request(url, false)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				client.CloseIdleConnections()
				return nil
			}
		} else if time.Now().After(deadline) {
			return fmt.Errorf("%s: %w", url, err)
		}
	}
}
