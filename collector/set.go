package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"server-monitor/internal/flight"
)

var (
	scrapeDuration = define("", "scrape_collector_duration_seconds",
		"How long the collector took in this scrape.", prometheus.GaugeValue, "collector")
	scrapeSuccess = define("", "scrape_collector_success",
		"1 if the collector finished in time and without an error, else 0.", prometheus.GaugeValue, "collector")
)

// flightLimit ends the context of a collection that no scrape waits for
// any more.
const flightLimit = 2 * time.Minute

// Set runs collectors side by side. Scrapes that arrive while a collector is
// at work share its result, so that a stuck one is never started twice.
type Set struct {
	logger     *slog.Logger
	names      []string
	collectors map[string]*flown
}

// flown is a collector that runs once for all who ask at the same time.
type flown struct {
	Collector
	flight flight.Flight[[]prometheus.Metric]
	// about are the labels of what is told about it.
	about *labels
}

// NewSet makes a set of named collectors.
func NewSet(logger *slog.Logger, collectors map[string]Collector) *Set {
	s := &Set{logger: logger, collectors: make(map[string]*flown, len(collectors))}
	for name, c := range collectors {
		s.names = append(s.names, name)
		s.collectors[name] = &flown{Collector: c, about: newLabels("collector", name)}
	}
	slices.Sort(s.names)
	return s
}

// Names lists the collectors of the set in alphabetical order.
func (s *Set) Names() []string { return s.names }

// Select narrows the set for one scrape: to the collectors of include, or,
// where that is empty, to all but those of exclude. The result collects until
// ctx ends and reports the collectors that were not done by then as failed.
func (s *Set) Select(ctx context.Context, include, exclude []string) (Selection, error) {
	if len(include) > 0 && len(exclude) > 0 {
		return nil, errors.New("collect[] and exclude[] cannot be used together")
	}
	for _, name := range slices.Concat(include, exclude) {
		if _, ok := s.collectors[name]; !ok {
			return nil, fmt.Errorf("no collector named %q is enabled", name)
		}
	}
	var names []string
	for _, name := range s.names {
		if (len(include) == 0 || slices.Contains(include, name)) && !slices.Contains(exclude, name) {
			names = append(names, name)
		}
	}
	return selection{set: s, ctx: ctx, names: names}, nil
}

// Selection is the collectors of one scrape. To gather from it is cheaper than to
// register it somewhere, and to have it write text is cheaper still; all give the
// same.
type Selection interface {
	prometheus.Collector
	prometheus.Gatherer
	TextWriter
}

// selection is the collectors of one scrape.
type selection struct {
	set   *Set
	ctx   context.Context
	names []string
}

// Describe sends nothing: the metrics of a scrape are not known beforehand.
func (s selection) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (s selection) Collect(ch chan<- prometheus.Metric) {
	s.collect(func(metrics []prometheus.Metric) {
		for _, m := range metrics {
			ch <- m
		}
	})
}

// collect runs the collectors side by side, waits for them, at most until ctx
// ends, and passes on what they sent, which other scrapes may share, and what
// there is to say about them. All of them see one inventory.
func (s selection) collect(pass func([]prometheus.Metric)) {
	ctx := flight.Remember(s.ctx)
	calls := make([]*flight.Call[[]prometheus.Metric], len(s.names))
	for i, name := range s.names {
		c := s.set.collectors[name]
		calls[i] = c.flight.Begin(ctx, flightLimit, func(ctx context.Context) ([]prometheus.Metric, error) { return gather(ctx, c) })
	}
	report := make([]prometheus.Metric, 0, 2*len(calls))
	for i, call := range calls {
		metrics, err := call.Wait(ctx)
		if ctx.Err() != nil && err == context.Cause(ctx) { //nolint:errorlint // a collector's own end would wrap another
			err = fmt.Errorf("cut off: %w", err)
		}
		pass(metrics)
		report = s.set.report(report, s.names[i], call.Took(), err)
	}
	pass(report)
}

// report adds what there is to say about a collector.
func (s *Set) report(report []prometheus.Metric, name string, took time.Duration, err error) []prometheus.Metric {
	success := 1.0
	switch {
	case errors.Is(err, ErrNoData):
		s.logger.Debug("collector has no data", "collector", name)
	case err != nil:
		success = 0
		s.logger.Error("collector failed", "collector", name, "duration_seconds", took.Seconds(), "err", err)
	}
	about := s.collectors[name].about
	return append(report, &sample{scrapeDuration, about, took.Seconds()}, &sample{scrapeSuccess, about, success})
}

// gather runs a collector to its end and returns its metrics, none of them if
// it failed.
func gather(ctx context.Context, c Collector) (metrics []prometheus.Metric, err error) {
	ch := make(chan prometheus.Metric, 256)
	go func() {
		defer close(ch)
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("collector panicked: %v\n%s", p, debug.Stack())
			}
		}()
		err = c.Update(ctx, ch)
	}()
	for m := range ch {
		metrics = append(metrics, m)
	}
	if err != nil {
		return nil, err
	}
	return metrics, nil
}
