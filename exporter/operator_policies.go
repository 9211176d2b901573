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
// here at once, or the answer says that it does not yet; on other servers it holds
// when they refresh.
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
	shown := heldPolicy(held)
	shown.Pending = s.reread(ctx, d.Name)
	return shown, nil
}

// Delete implements [killapi.Policies].
func (s storedPolicies) Delete(ctx context.Context, platform policy.Platform, name, revision string) (pending bool, err error) {
	if err := s.store.DeleteRevision(ctx, platform, name, mongostore.Revision(revision)); err != nil {
		return false, storeError(err)
	}
	return s.reread(ctx, name), nil
}

// rereadLimit is how long an answer waits for the change to hold here.
const rereadLimit = 3 * time.Second

// reread lets a change hold here, and tells where it does not yet: then the log
// says why, and it is tried again before long.
func (s storedPolicies) reread(ctx context.Context, name string) (pending bool) {
	ctx, cancel := context.WithTimeout(ctx, rereadLimit)
	defer cancel()
	return s.refresher.Reread(ctx, name) != nil
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
