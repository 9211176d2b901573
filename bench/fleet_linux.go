package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The fleet: so many servers that are simulated, each on a loopback address of
// its own, and a real Prometheus that scrapes them all.
const (
	fleetServers  = 200
	fleetInterval = 15 // seconds
	fleetPort     = "19100"
	fleetURL      = "http://127.0.0.1:19090/metrics"
)

// fleet takes the page of a real server-monitor, has 200 servers tell it with
// figures that move, and reads what that costs Prometheus.
func fleet(o options) error {
	p := &population{rows: o.rows}
	defer func() { p.end(len(p.members)) }()
	if err := p.grow(o.counts[0]); err != nil {
		return err
	}
	monitor, err := startServer("server-monitor", soakURL, o.binary, "--operator.listen-address=127.0.0.1:10043")
	if err != nil {
		return err
	}
	page, err := fetch(soakURL)
	monitor.stop()
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(string(page), "\n")
	go func() {
		server := &http.Server{Addr: ":" + fleetPort, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(moved(lines))
		})}
		fail(server.ListenAndServe())
	}()
	folder, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	prometheus, err := startPrometheus(folder)
	if err != nil {
		return err
	}
	defer prometheus.stop()
	return watchFleet(prometheus, len(page), time.Duration(o.seconds)*time.Second)
}

// moved is the page with other figures in those series that move on a real
// server.
func moved(lines []string) []byte {
	var page bytes.Buffer
	for _, line := range lines {
		at := strings.LastIndexByte(line, ' ')
		moves := strings.Contains(line, "cpu_seconds_total") || strings.Contains(line, "resident_memory")
		if at < 0 || !moves || strings.HasPrefix(line, "#") {
			page.WriteString(line)
			continue
		}
		value, _ := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64)
		if strings.Contains(line, "cpu") {
			value += float64(time.Now().Unix()%100000) + float64(rand.IntN(100))/100
		} else {
			value += float64(rand.IntN(100)) * 4096
		}
		fmt.Fprintf(&page, "%s %v\n", line[:at], value)
	}
	return page.Bytes()
}

// startPrometheus starts a Prometheus that scrapes the fleet.
func startPrometheus(folder string) (*subject, error) {
	var config strings.Builder
	fmt.Fprintf(&config, "global: {scrape_interval: %ds}\nscrape_configs:\n- job_name: fleet\n  static_configs:\n  - targets:\n", fleetInterval)
	for i := range fleetServers {
		fmt.Fprintf(&config, "    - 127.0.1.%d:%s\n", 1+i, fleetPort)
	}
	file := filepath.Join(folder, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+folder, "--web.listen-address=127.0.0.1:19090")
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	return &subject{name: "prometheus", cmd: cmd}, cmd.Start()
}

// watchFleet waits until all have been scraped some times, and tells what
// Prometheus says of itself.
func watchFleet(prometheus *subject, bytes int, length time.Duration) error {
	time.Sleep(length / 2)
	begin := time.Now()
	before, err := readMetric(fleetURL, "prometheus_tsdb_head_samples_appended_total{type=\"float\"}")
	if err != nil {
		before, err = readMetric(fleetURL, "prometheus_tsdb_head_samples_appended_total")
	}
	if err != nil {
		return err
	}
	spent, err := cpuOf(prometheus.cmd.Process.Pid)
	if err != nil {
		return err
	}
	time.Sleep(length / 2)
	after, err1 := readMetric(fleetURL, "prometheus_tsdb_head_samples_appended_total{type=\"float\"}")
	if err1 != nil {
		after, err1 = readMetric(fleetURL, "prometheus_tsdb_head_samples_appended_total")
	}
	series, err2 := readMetric(fleetURL, "prometheus_tsdb_head_series")
	resident, err3 := readMetric(fleetURL, "process_resident_memory_bytes")
	heap, err4 := readMetric(fleetURL, "go_memstats_heap_inuse_bytes")
	now, err5 := cpuOf(prometheus.cmd.Process.Pid)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	seconds := time.Since(begin).Seconds()
	fmt.Printf("%d servers every %d s, a page of %d bytes: %d series, %.0f samples a second,\n"+
		"resident %.0f MiB (%.1f KiB a series), heap in use %.0f MiB, %.1f %% of a processor\n",
		fleetServers, fleetInterval, bytes, series, float64(after-before)/seconds,
		float64(resident)/(1<<20), float64(resident)/1024/float64(series), float64(heap)/(1<<20), 100*(now-spent).Seconds()/seconds)
	return nil
}
