package main

import (
	"context"
	"log/slog"
	"time"

	"server-monitor/collector"
	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/policy/refresh"
)

// policySource is where policy comes from: the catalogue alone, or a store over
// it that is kept fresh.
type policySource struct {
	policy.Provider
	policy.Consultant
	store     *mongostore.Store  // nil without one
	refresher *refresh.Refresher // nil without a store
	stop      func()
}

// openPolicy makes the source that the flags ask for, and begins to keep it
// fresh. A database that is away is no error.
func (c *config) openPolicy(logger *slog.Logger) (*policySource, error) {
	store, err := c.policy.open()
	if err != nil {
		return nil, err
	}
	if store == nil {
		fixed := policy.Fixed{Set: policy.NewSet(platform, policy.Catalogue()...)}
		return &policySource{Provider: fixed, Consultant: fixed, stop: func() {}}, nil
	}
	refresher := refresh.New(refresh.Config{
		Platform: platform, Store: store, Interval: c.policy.interval, CopyFile: c.policy.copyFile, Logger: logger,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		refresher.Run(ctx)
	}()
	return &policySource{
		Provider: refresher, Consultant: refresher, store: store, refresher: refresher,
		stop: func() {
			cancel()
			<-ended
		},
	}, nil
}

// closeTimeout is how long connections may take to end.
const closeTimeout = 2 * time.Second

// close ends the refreshing and all connections.
func (s *policySource) close() {
	s.stop()
	if s.store != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = s.store.Close(ctx) // nothing is lost
	}
}

// status is how policy fares.
func (s *policySource) status() collector.PolicyStatus {
	status := collector.PolicyStatus{Set: s.Current()}
	if s.refresher != nil {
		now := s.refresher.Status()
		status.Store = &collector.PolicyStoreStatus{Up: now.Up, LastSuccess: now.LastSuccess, Failures: now.Failures}
	}
	return status
}
