package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"server-monitor/collector"
)

// collectorFunc is a collector made of a function.
type collectorFunc func(ctx context.Context, ch chan<- prometheus.Metric) error

func (f collectorFunc) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	return f(ctx, ch)
}

// gaugeNamed publishes one sample.
func gaugeNamed(name string) collectorFunc {
	desc := prometheus.NewDesc(name, "A test.", nil, nil)
	return func(_ context.Context, ch chan<- prometheus.Metric) error {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1)
		return nil
	}
}

// testServer serves a set of a fast collector and of one that blocks until
// the test ends, and tells when that has begun.
func testServer(t *testing.T, s *serveConfig) (server *httptest.Server, begun chan struct{}) {
	t.Helper()
	release := make(chan struct{})
	begun = make(chan struct{}, 1)
	slow := collectorFunc(func(context.Context, chan<- prometheus.Metric) error {
		begun <- struct{}{}
		<-release
		return nil
	})
	logger := slog.New(slog.DiscardHandler)
	set := collector.NewSet(logger, map[string]collector.Collector{"fast": gaugeNamed("fast_metric"), "slow": slow})
	s.telemetryPath = "/metrics"
	routes, err := newRoutes(s, newMetricsHandler(set, s, logger))
	if err != nil {
		t.Fatal(err)
	}
	server = httptest.NewServer(routes)
	t.Cleanup(func() {
		close(release)
		server.Close()
	})
	return server, begun
}

// get asks for a page.
func get(t *testing.T, url string, header http.Header) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text strings.Builder
	if err := response.Write(&text); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, text.String()
}

func TestSlowCollectorIsCutOff(t *testing.T) {
	server, _ := testServer(t, &serveConfig{timeoutOffset: 100 * time.Millisecond})
	status, body := get(t, server.URL+"/metrics", http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {"0.3"}})
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	for _, want := range []string{
		"fast_metric 1",
		`server_monitor_scrape_collector_success{collector="fast"} 1`,
		`server_monitor_scrape_collector_success{collector="slow"} 0`,
		"server_monitor_exporter_build_info",
		"go_goroutines",
		"promhttp_metric_handler_requests_total",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
}

func TestCollectAndExclude(t *testing.T) {
	server, _ := testServer(t, &serveConfig{disableExporterMetrics: true})
	for query, want := range map[string]int{
		"collect[]=fast": http.StatusOK, "exclude[]=slow": http.StatusOK,
		"collect[]=fast&exclude[]=slow": http.StatusBadRequest, "collect[]=nonsense": http.StatusBadRequest,
	} {
		status, body := get(t, server.URL+"/metrics?"+query, nil)
		if status != want {
			t.Errorf("%s: status %d, want %d", query, status, want)
		}
		if status == http.StatusOK && (!strings.Contains(body, "fast_metric 1") || strings.Contains(body, `"slow"`)) {
			t.Errorf("%s:\n%s", query, body)
		}
		if strings.Contains(body, "go_goroutines") || strings.Contains(body, "promhttp_") {
			t.Errorf("%s: metrics of the exporter itself in\n%s", query, body)
		}
	}
}

func TestMaxRequests(t *testing.T) {
	server, begun := testServer(t, &serveConfig{maxRequests: 1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if response, err := http.DefaultClient.Do(request); err == nil { // hangs in the slow collector
			response.Body.Close()
		}
	}()
	<-begun
	status, body := get(t, server.URL+"/metrics?collect[]=fast", nil)
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "running already") {
		t.Errorf("status %d: %s", status, body)
	}
}

func TestPages(t *testing.T) {
	server, _ := testServer(t, &serveConfig{})
	for path, want := range map[string]int{
		"/": http.StatusOK, "/-/healthy": http.StatusOK, "/-/ready": http.StatusOK, "/nonsense": http.StatusNotFound,
	} {
		if status, _ := get(t, server.URL+path, nil); status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	response, err := http.Post(server.URL+"/metrics", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", response.StatusCode)
	}
}

func TestBound(t *testing.T) {
	h := &metricsHandler{timeoutOffset: 500 * time.Millisecond}
	for header, want := range map[string]time.Duration{
		"": longestScrape, "10": 9500 * time.Millisecond, "0.4": 400 * time.Millisecond, "-1": longestScrape,
		"NaN": longestScrape, "1e300": longestScrape, "soon": longestScrape,
	} {
		request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", header)
		begin := time.Now()
		ctx, cancel := h.bound(request)
		deadline, _ := ctx.Deadline()
		cancel()
		if got := deadline.Sub(begin); got < want || got > want+time.Second {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}
