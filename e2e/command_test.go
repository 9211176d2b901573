//go:build e2e

package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// run runs server-monitor to its end.
func run(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return rig.Run(t, exec.Command(programs.Monitor, args...), 30*time.Second)
}

// TestMisuse checks that all that is wrong with the flags is told at once.
func TestMisuse(t *testing.T) {
	stdout, stderr, status := run(t,
		"--risk.high-memory-ratio=7", "--collector.process.max-pids=-1", "--language=xx", "--log.level=loud",
		"--web.telemetry-path=metrics", "--collector.service.unit-include=(", "--web.config.file=/does/not/exist")
	if status != 2 || stdout != "" {
		t.Errorf("exit status %d, output %q; want 2 and none", status, stdout)
	}
	for _, flag := range []string{
		"--risk.high-memory-ratio", "--collector.process.max-pids", "--language", "--log.level",
		"--web.telemetry-path", "--collector.service.unit-include", "--web.config.file",
	} {
		if n := strings.Count(stderr, flag+":"); n != 1 {
			t.Errorf("%s is named %d times, want once:\n%s", flag, n, stderr)
		}
	}
	for _, args := range [][]string{{"--no-such-flag"}, {"no-such-command"}, {"scan", "--verdict=red"}, {"scan", "--output=xml"}} {
		if _, stderr, status := run(t, args...); status != 2 || stderr == "" {
			t.Errorf("%v: exit status %d, said %q; want 2 and a word", args, status, stderr)
		}
	}
}

// TestHelp checks what is said about the program itself.
func TestHelp(t *testing.T) {
	for flag, want := range map[string]string{"--version": "server-monitor, version", "--help": "scan [<flags>]", "--help-long": "--web.listen-address"} {
		if stdout, stderr, status := run(t, flag); status != 0 || !strings.Contains(stdout+stderr, want) {
			t.Errorf("%s: exit status %d\n%s%s", flag, status, stdout, stderr)
		}
	}
}

// TestAddressInUse checks that a port that is taken ends the program.
func TestAddressInUse(t *testing.T) {
	m := programs.StartMonitor(t)
	_, stderr, status := run(t, "--operator.off", "--web.listen-address="+m.Address)
	if status != 1 || !strings.Contains(stderr, "address already in use") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

// TestPages looks at every page of the metrics listener.
func TestPages(t *testing.T) {
	m := programs.StartMonitor(t, "--web.listen-address=[::1]:0", "--web.telemetry-path=/m", "--no-collector.pressure")
	second := m.AwaitOutput(t, 10*time.Second, `address=(\[::1\]:\d+)`)[1]
	for _, test := range []struct {
		path   string
		status int
		holds  string
	}{
		{"/", http.StatusOK, `href="/m"`},
		{"/-/healthy", http.StatusOK, "Healthy"},
		{"/-/ready", http.StatusOK, "Ready"},
		{"/m", http.StatusOK, "server_monitor_load1 "},
		{"/metrics", http.StatusNotFound, ""},
		{"/m?collect[]=load", http.StatusOK, "server_monitor_load5 "},
		{"/m?collect[]=load&collect[]=boot", http.StatusOK, "server_monitor_boot_time_seconds "},
		{"/m?exclude[]=process", http.StatusOK, "server_monitor_load15 "},
		{"/m?collect[]=load&exclude[]=cpu", http.StatusBadRequest, "collect[]"},
		{"/m?collect[]=nonsense", http.StatusBadRequest, "nonsense"},
		{"/m?collect[]=pressure", http.StatusBadRequest, "pressure"},
	} {
		status, body := m.Get(t, test.path)
		if status != test.status || !strings.Contains(body, test.holds) {
			t.Errorf("%s: status %d, want %d with %q:\n%.500s", test.path, status, test.status, test.holds, body)
		}
	}
	if status, _ := rig.Get(t, m.Client, "http://"+second+"/-/ready"); status != http.StatusOK {
		t.Errorf("the second address: status %d", status)
	}
}

// TestCollectorChoice checks which collectors a scrape brings.
func TestCollectorChoice(t *testing.T) {
	m := programs.StartMonitor(t, "--collector.disable-defaults", "--collector.load", "--collector.memory", "--web.disable-exporter-metrics")
	for path, want := range map[string]string{
		"/metrics": "load memory", "/metrics?collect[]=load": "load", "/metrics?exclude[]=load": "memory",
	} {
		scrape := rig.ScrapeURL(t, m.Client, "http://"+m.Address+path)
		var names []string
		for _, series := range scrape["server_monitor_scrape_collector_success"].GetMetric() {
			names = append(names, rig.LabelsOf(series)["collector"])
		}
		if got := strings.Join(sorted(names), " "); got != want {
			t.Errorf("%s: collectors %q, want %q", path, got, want)
		}
		for name := range scrape {
			if !strings.HasPrefix(name, "server_monitor_") {
				t.Errorf("%s: %s in spite of --web.disable-exporter-metrics", path, name)
			}
		}
	}
}

// TestStop checks that SIGTERM and SIGINT end the program without an error.
func TestStop(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		m := programs.StartMonitor(t)
		m.Scrape(t)
		begin := time.Now()
		if err := m.Stop(signal); err != nil {
			t.Fatal(err)
		}
		if status := m.ProcessState.ExitCode(); status != 0 || time.Since(begin) > 5*time.Second {
			t.Errorf("%v: exit status %d after %v", signal, status, time.Since(begin))
		}
		if errs := m.Errors(); len(errs) > 0 {
			t.Errorf("%v: logged %s", signal, errs)
		}
	}
}

// TestUnprivileged checks that an ordinary user gets what it may see, and is
// told what it may not.
func TestUnprivileged(t *testing.T) {
	rig.NeedRoot(t)
	samples := startSamples(t)
	m := rig.AwaitMonitor(t, ordinary(programs.Monitor, append(rig.Alone, "--collector.process.max-pids=100000")...))
	scrape := m.Scrape(t)
	checkSuccess(t, scrape)
	for _, fact := range []string{"exe", "sockets"} {
		if n, err := scrape.Value("server_monitor_process_facts_denied_total", rig.Labels{"fact": fact}); err != nil || n == 0 {
			t.Errorf("denied facts %q: %v (%v), want some", fact, n, err)
		}
	}
	if n, err := scrape.Value("server_monitor_process_unowned_sockets", nil); err != nil || n == 0 {
		t.Errorf("sockets without an owner: %v (%v), want some", n, err)
	}
	for name, sample := range samples {
		if name == "public listener" { // belongs to root
			continue
		}
		found := scrape.Find("server_monitor_process_verdict", rig.Labels{"pid": itoa(sample.pid)})
		if (len(found) == 1) != (sample.verdict != "safe") {
			t.Errorf("%s, of the same user: %d rows", name, len(found))
		}
	}
	if errs := m.Errors(); len(errs) > 0 {
		t.Errorf("logged: %s", errs)
	}
}

// checkSuccess checks that every collector has succeeded.
func checkSuccess(t *testing.T, scrape rig.Scrape) {
	t.Helper()
	collectors := scrape["server_monitor_scrape_collector_success"].GetMetric()
	if len(collectors) < 9 {
		t.Errorf("only %d collectors", len(collectors))
	}
	for _, m := range collectors {
		if rig.Value(m) != 1 {
			t.Errorf("a collector failed: %v", rig.LabelsOf(m))
		}
	}
}
