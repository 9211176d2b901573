package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"server-monitor/collector"
)

// longestScrape bounds a scrape that announces no timeout of its own.
const longestScrape = time.Minute

// metricsHandler serves scrapes.
type metricsHandler struct {
	set           *collector.Set
	own           *prometheus.Registry // what holds for every scrape
	maxRequests   chan struct{}        // nil for any number
	timeoutOffset time.Duration
	logger        *slog.Logger
}

// newMetricsHandler makes the handler of scrapes of a set.
func newMetricsHandler(set *collector.Set, s *serveConfig, logger *slog.Logger) *metricsHandler {
	h := &metricsHandler{set: set, own: prometheus.NewRegistry(), timeoutOffset: s.timeoutOffset, logger: logger}
	h.own.MustRegister(versioncollector.NewCollector("server_monitor_exporter"))
	if !s.disableExporterMetrics {
		h.own.MustRegister(
			collector.NewSelf(),
			collectors.NewGoCollector(),
		)
	}
	if s.maxRequests > 0 {
		h.maxRequests = make(chan struct{}, s.maxRequests)
	}
	return h
}

// instrumented counts the scrapes, where that is wanted.
func (h *metricsHandler) instrumented(s *serveConfig) http.Handler {
	if s.disableExporterMetrics {
		return h
	}
	return promhttp.InstrumentMetricHandler(h.own, h)
}

// ServeHTTP answers one scrape, within the time that Prometheus announced.
func (h *metricsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.maxRequests != nil {
		select {
		case h.maxRequests <- struct{}{}:
			defer func() { <-h.maxRequests }()
		default:
			http.Error(w, fmt.Sprintf("%d scrapes are running already", cap(h.maxRequests)), http.StatusServiceUnavailable)
			return
		}
	}
	ctx, cancel := h.bound(r)
	defer cancel()
	query := r.URL.Query()
	selected, err := h.set.Select(ctx, query["collect[]"], query["exclude[]"])
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultAcceptedFormats()...); format.FormatType() == expfmt.TypeTextPlain {
		h.serveText(w, r, selected, format)
		return
	}
	promhttp.HandlerFor(collector.Gatherers{h.own, selected}, promhttp.HandlerOpts{
		ErrorLog:      errorLog{h.logger},
		ErrorHandling: promhttp.ContinueOnError,
	}).ServeHTTP(w, r)
}

var errScrapeTimeout = errors.New("the scrape timeout of Prometheus")

// bound limits a scrape to what the header X-Prometheus-Scrape-Timeout-Seconds
// says, less the time that the answer needs on its way.
func (h *metricsHandler) bound(r *http.Request) (context.Context, context.CancelFunc) {
	limit := longestScrape
	seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err == nil && seconds > 0 && seconds < longestScrape.Seconds() {
		limit = time.Duration(seconds * float64(time.Second))
		if limit > h.timeoutOffset {
			limit -= h.timeoutOffset
		}
	}
	return context.WithTimeoutCause(r.Context(), limit, errScrapeTimeout)
}

// errorLog passes what promhttp has to say to the logger.
type errorLog struct{ logger *slog.Logger }

func (l errorLog) Println(v ...any) {
	l.logger.Error("scrape is not complete", "err", fmt.Sprint(v...))
}
