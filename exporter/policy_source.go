package main

import (
	"context"
	"log/slog"
	"os/signal"
	"syscall"
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
		fixed := policy.Fixed{Set: policy.EmbeddedSet(platform)}
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

// settleTimeout bounds the reading of policy before something is judged once.
const settleTimeout = 10 * time.Second

// settle waits until the store was read, for whoever judges once and goes. One
// that does not answer is logged, and what is at hand decides.
func (s *policySource) settle(ctx context.Context, logger *slog.Logger) policy.State {
	if s.refresher == nil {
		return policy.NotConfigured
	}
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	if err := s.refresher.Refresh(ctx); err != nil {
		logger.Warn("policy is not fresh", slog.Any("err", err))
	}
	return s.refresher.Status().State
}

// closeTimeout is how long connections may take to end.
const closeTimeout = 2 * time.Second

// close ends the refreshing and all connections.
func (s *policySource) close() {
	s.stop()
	closeStore(s.store)
}

// closeStore ends the connections of a store, if there is one. All that was
// written was answered.
func closeStore(store *mongostore.Store) {
	if store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = store.Close(ctx)
}

// withStore does something with the store that is configured, nil without one,
// until it is done or the program is told to stop.
func (c *config) withStore(do func(ctx context.Context, store *mongostore.Store) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	store, err := c.policy.open()
	if err != nil {
		return err
	}
	defer closeStore(store)
	return do(ctx, store)
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
