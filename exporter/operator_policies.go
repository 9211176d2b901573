package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/policy/refresh"
	"server-monitor/killapi"
)

// storedPolicies is the collection that operators change. What they change holds
// here at once, and on other servers when they refresh.
type storedPolicies struct {
	store     *mongostore.Store
	refresher *refresh.Refresher
}

// policies is the collection, nil where no database is configured.
func (s *policySource) policies() killapi.Policies {
	if s.store == nil {
		return nil
	}
	return storedPolicies{s.store, s.refresher}
}

// Hold implements [killapi.Policies].
func (s storedPolicies) Hold(ctx context.Context, platform policy.Platform, name string) (*killapi.HeldPolicy, error) {
	held, err := s.store.Hold(ctx, platform, name)
	if held == nil || err != nil {
		return nil, storeError(err)
	}
	return heldPolicy(held), nil
}

// Put implements [killapi.Policies].
func (s storedPolicies) Put(ctx context.Context, d *policy.Document, over string) (*killapi.HeldPolicy, error) {
	held, err := s.store.PutRevision(ctx, d, mongostore.Revision(over))
	if err != nil {
		return nil, storeError(err)
	}
	s.refresh(ctx)
	return heldPolicy(held), nil
}

// Delete implements [killapi.Policies].
func (s storedPolicies) Delete(ctx context.Context, platform policy.Platform, name, revision string) error {
	if err := s.store.DeleteRevision(ctx, platform, name, mongostore.Revision(revision)); err != nil {
		return storeError(err)
	}
	s.refresh(ctx)
	return nil
}

// refreshLimit is how long an answer waits for the change to hold here.
const refreshLimit = 3 * time.Second

func (s storedPolicies) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, refreshLimit)
	defer cancel()
	_ = s.refresher.Refresh(ctx) // which logs what fails; it is done again before long
}

// heldPolicy shows what the store holds.
func heldPolicy(held *mongostore.Held) *killapi.HeldPolicy {
	shown := &killapi.HeldPolicy{Problems: held.Problems, Revision: string(held.Revision)}
	if held.Invalid == nil {
		shown.Document = &held.Document
	}
	return shown
}

// storeError names errors as the API knows them.
func storeError(err error) error {
	switch {
	case errors.Is(err, mongostore.ErrRevision):
		return fmt.Errorf("%w: %w", killapi.ErrPolicyRevision, err)
	case errors.Is(err, mongostore.ErrDuplicate):
		return fmt.Errorf("%w: %w", killapi.ErrPolicyDuplicate, err)
	}
	return err
}
