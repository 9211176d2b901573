//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// TestChurn scrapes while processes come and go, change their names and open
// ports: each scrape has to be whole and without a contradiction.
func TestChurn(t *testing.T) {
	const scrapes = 200
	m := programs.StartMonitor(t, "--collector.process.memory-threshold=0", "--collector.process.max-pids=100000")
	started := startChurn(t)
	before := started.Load()
	for i := range scrapes {
		status, body := m.Get(t, "/metrics")
		if status != http.StatusOK {
			t.Fatalf("scrape %d: status %d: %s", i, status, body)
		}
		scrape, err := rig.ParseScrape(body)
		if err != nil {
			t.Fatalf("scrape %d: %v", i, err)
		}
		checkWhole(t, scrape)
	}
	if n := started.Load() - before; n < scrapes {
		t.Errorf("only %d processes came and went in %d scrapes", n, scrapes)
	} else {
		t.Logf("%d processes came and went in %d scrapes", n, scrapes)
	}
	// A contradiction leads to an answer with what could be told, and to this.
	if errs := m.Errors(); len(errs) > 0 {
		t.Errorf("logged: %s", errs)
	}
}

// checkWhole checks that a scrape has every collector's share and that sums
// and rows of one scrape agree.
func checkWhole(t *testing.T, scrape rig.Scrape) {
	t.Helper()
	checkSuccess(t, scrape)
	var sum float64
	for _, m := range scrape["server_monitor_processes"].GetMetric() {
		sum += rig.Value(m)
	}
	// A container may hold little more than the test and server-monitor.
	if rows := len(scrape["server_monitor_process_info"].GetMetric()); float64(rows) != sum || rows < 2 {
		t.Errorf("%d rows, but %v processes", rows, sum)
	}
}

// startChurn starts processes all the time until the test is over, and counts
// them: short ones, ones that live for some scrapes, and hostile names.
func startChurn(t *testing.T) *atomic.Int64 {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		workers.Wait()
	})
	dir := hostileNames(t)
	started := new(atomic.Int64)
	kinds := []func(n int) []string{
		func(int) []string { return []string{"/bin/true"} },
		func(int) []string { return []string{"/bin/sleep", "0.2"} },
		func(int) []string { return []string{"/bin/sh", "-c", "/bin/sleep 0.05; exec /bin/sleep 0.05"} },
		func(n int) []string { return []string{filepath.Join(dir, hostile[n%len(hostile)]), "0.3"} },
		func(n int) []string {
			return []string{programs.Sample, "listen", "127.0.0.1:" + itoa(20000+n%1000)}
		},
	}
	for _, kind := range append(kinds, kinds...) {
		workers.Go(func() {
			for ctx.Err() == nil {
				runBriefly(ctx, kind(int(started.Add(1))))
			}
		})
	}
	return started
}

// runBriefly runs a program for half a second at most.
func runBriefly(ctx context.Context, args []string) {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	_ = cmd.Run() // many are ended
	time.Sleep(2 * time.Millisecond)
}

// hostile are file names that an ordinary user may give to programs.
var hostile = []string{
	"new\nline", "quote\"s", `back\slash`, "\x1b[31mred", "inv\xffalid", "{a=\"b\"} 1", "# HELP x", "한글", "a b", "\u202egnp",
}

// hostileNames makes a folder of programs with such names.
func hostileNames(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range hostile {
		if err := os.WriteFile(filepath.Join(dir, name), program, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
