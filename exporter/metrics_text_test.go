package main

import (
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"server-monitor/collector"
)

func TestAcceptsGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZip": true, "x-gzip": true, "identity": false, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.0": false,
		"gzip;q=0.5": true, "gzip;q=nonsense": true, "*": true, "*;q=0": false, "*;q=0, gzip": true, "*, gzip;q=0": false, "deflate, gzip;q=1.0, *;q=0.5": true,
		"zstd": false, ",,;": false,
	} {
		header := http.Header{}
		if accept != "" {
			header.Set("Accept-Encoding", accept)
		}
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
	if !acceptsGzip(http.Header{"Accept-Encoding": {"br", "gzip"}}) {
		t.Error("gzip in a second line is not seen")
	}
}

// textHandler serves one sample.
func textHandler() *metricsHandler {
	logger := slog.New(slog.DiscardHandler)
	return newMetricsHandler(collector.NewSet(logger, map[string]collector.Collector{"one": gaugeNamed("one_metric")}), &serveConfig{}, logger)
}

func ask(h http.Handler, header http.Header) *http.Response {
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header = header
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	return recorder.Result()
}

// TestFormats asks as several clients do, one after the other and again, so that
// answers are made in memory that others have used.
func TestFormats(t *testing.T) {
	h := textHandler()
	for range 3 {
		for name, c := range map[string]struct {
			accept, encoding string
			kind             expfmt.FormatType
		}{
			"curl":               {"*/*", "", expfmt.TypeTextPlain},
			"nothing":            {"", "", expfmt.TypeTextPlain},
			"Prometheus 2":       {"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", "gzip", expfmt.TypeTextPlain},
			"Prometheus 3":       {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", "gzip", expfmt.TypeTextPlain},
			"native histograms":  {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;version=0.0.4;q=0.3", "gzip", expfmt.TypeProtoDelim},
			"protobuf, as it is": {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "", expfmt.TypeProtoDelim},
		} {
			response := ask(h, http.Header{"Accept": {c.accept}, "Accept-Encoding": {c.encoding}})
			families := familiesOf(t, response)
			if kind := expfmt.ResponseFormat(response.Header).FormatType(); kind != c.kind || response.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d, %v", name, response.StatusCode, response.Header)
			}
			if encoding := response.Header.Get("Content-Encoding"); encoding != c.encoding {
				t.Errorf("%s: encoded as %q", name, encoding)
			}
			if families["one_metric"] == nil || families["go_goroutines"] == nil || families["server_monitor_scrape_collector_success"] == nil {
				t.Errorf("%s: %d families", name, len(families))
			}
		}
	}
}

// familiesOf decodes an answer.
func familiesOf(t *testing.T, response *http.Response) map[string]*dto.MetricFamily {
	t.Helper()
	body := io.Reader(response.Body)
	if length := response.Header.Get("Content-Length"); length != "" {
		all, err := io.ReadAll(body)
		if err != nil || strconv.Itoa(len(all)) != length {
			t.Errorf("%d bytes of %s: %v", len(all), length, err)
		}
		body = strings.NewReader(string(all))
	}
	if response.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	families := make(map[string]*dto.MetricFamily)
	for decoder := expfmt.NewDecoder(body, expfmt.ResponseFormat(response.Header)); ; {
		family := new(dto.MetricFamily)
		err := decoder.Decode(family)
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatal(err)
		}
		families[family.GetName()] = family
	}
}

// broken is a metric that cannot be gathered.
type broken struct{}

func (broken) Describe(chan<- *prometheus.Desc) {}

func (broken) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(prometheus.NewDesc("broken", "A test.", nil, nil), errors.New("no such thing"))
}

func TestBrokenMetricKeepsNothingBack(t *testing.T) {
	h := textHandler()
	h.own.MustRegister(broken{})
	families := familiesOf(t, ask(h, http.Header{}))
	if families["one_metric"] == nil || families["go_goroutines"] == nil || families["broken"] != nil {
		t.Errorf("%d families", len(families))
	}
}
