package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
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
	collectors map[string]Collector
	flights    singleflight.Group
}

// NewSet makes a set of named collectors.
func NewSet(logger *slog.Logger, collectors map[string]Collector) *Set {
	s := &Set{logger: logger, collectors: collectors}
	for name := range collectors {
		s.names = append(s.names, name)
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
// register it somewhere; both give the same.
type Selection interface {
	prometheus.Collector
	prometheus.Gatherer
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
	var wg sync.WaitGroup
	for _, name := range s.names {
		wg.Go(func() {
			metrics, report := s.set.collect(s.ctx, name)
			for _, m := range slices.Concat(metrics, report) {
				ch <- m
			}
		})
	}
	wg.Wait()
}

// collect waits for one collector, at most until ctx ends. It returns the metrics
// of the collector, which other scrapes may share, and those about it.
func (s *Set) collect(ctx context.Context, name string) (metrics, report []prometheus.Metric) {
	begin := time.Now()
	flight := s.flights.DoChan(name, func() (any, error) { return gather(s.collectors[name]) })
	var err error
	select {
	case result := <-flight:
		metrics, _ = result.Val.([]prometheus.Metric)
		err = result.Err
	case <-ctx.Done():
		err = fmt.Errorf("cut off: %w", context.Cause(ctx))
	}
	duration := time.Since(begin)
	success := 1.0
	switch {
	case errors.Is(err, ErrNoData):
		s.logger.Debug("collector has no data", "collector", name)
	case err != nil:
		success = 0
		s.logger.Error("collector failed", "collector", name, "duration_seconds", duration.Seconds(), "err", err)
	}
	return metrics, []prometheus.Metric{
		scrapeDuration.sample(duration.Seconds(), []string{name}), scrapeSuccess.sample(success, []string{name}),
	}
}

// gather runs a collector to its end and returns its metrics, none of them if
// it failed.
func gather(c Collector) (metrics []prometheus.Metric, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), flightLimit)
	defer cancel()
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
