//go:build e2e

package rig

import (
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// startLimit is how long a program may take until it serves.
const startLimit = 20 * time.Second

// Monitor is a server-monitor that serves metrics.
type Monitor struct {
	*Program
	// Address is where it listens: host and port.
	Address string
	// Client is how to ask it.
	Client *http.Client
}

// Alone are the flags of a server-monitor that meets no other one: it serves
// metrics on a free port of the loopback address, and nothing else.
var Alone = []string{"--web.listen-address=127.0.0.1:0", "--operator.off"}

// StartMonitor starts server-monitor [Alone], with more flags.
func (r *Rig) StartMonitor(t testing.TB, flags ...string) *Monitor {
	t.Helper()
	return AwaitMonitor(t, exec.Command(r.Monitor, slices.Concat(Alone, flags)...))
}

// AwaitMonitor starts server-monitor by a command and waits until it serves.
func AwaitMonitor(t testing.TB, cmd *exec.Cmd) *Monitor {
	t.Helper()
	m := &Monitor{Program: Start(t, cmd), Client: &http.Client{Timeout: 30 * time.Second}}
	t.Cleanup(m.Client.CloseIdleConnections)
	m.Address = m.AwaitOutput(t, startLimit, `msg="Listening on" address=(\S+)`)[1]
	return m
}

// Get asks for a path and returns status and body. Headers are given as
// "Name: value".
func (m *Monitor) Get(t testing.TB, path string, headers ...string) (status int, body string) {
	t.Helper()
	return Get(t, m.Client, "http://"+m.Address+path, headers...)
}

// Get asks for a URL and returns status and body.
func Get(t testing.TB, client *http.Client, url string, headers ...string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("read %s: %v", url, err)
	}
	return response.StatusCode, string(text)
}

// Scrape asks for the metrics, which must be served and be consistent.
func (m *Monitor) Scrape(t testing.TB, headers ...string) Scrape {
	t.Helper()
	return ScrapeURL(t, m.Client, "http://"+m.Address+"/metrics", headers...)
}

// ScrapeURL asks for metrics at a URL.
func ScrapeURL(t testing.TB, client *http.Client, url string, headers ...string) Scrape {
	t.Helper()
	status, body := Get(t, client, url, headers...)
	if status != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", url, status, body)
	}
	scrape, err := ParseScrape(body)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	return scrape
}

// Errors are the lines of the log that tell of errors.
func (m *Monitor) Errors() []string {
	var found []string
	for line := range strings.Lines(m.Output()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
			found = append(found, line)
		}
	}
	return found
}
