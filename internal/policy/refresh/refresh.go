package refresh

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
)

// fullEvery is how many refreshes there are from one that reads everything to
// the next.
const fullEvery = 20

// Refresh brings the set up to date with the store. Where that fails, the set
// stays as it is.
func (r *Refresher) Refresh(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer r.end()
	return r.refresh(ctx)
}

// begin waits for its turn to change what is held, as long as ctx holds. That it
// did not come says nothing about the store.
func (r *Refresher) begin(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for another refresh: %w", context.Cause(ctx))
	}
}

func (r *Refresher) end() { <-r.turn }

// refresh does so when it is its turn.
func (r *Refresher) refresh(ctx context.Context) error {
	dirty := r.takeDirty()
	held, read, err := r.readDocuments(ctx, dirty)
	var rules []mongostore.RuleEntry
	if err == nil {
		rules, err = r.store.Rules(ctx)
	}
	if err != nil {
		r.putBack(dirty)
		if errors.Is(ctx.Err(), context.Canceled) {
			return err // we are stopping, which says nothing about the store
		}
		r.failed(err)
		return err
	}
	changed := read || len(held) != len(r.held) || !reflect.DeepEqual(rules, r.rules)
	r.held, r.rules = held, rules
	r.count++
	if changed || r.count == 1 || r.copyFailed() {
		r.swap(read)
	} else {
		r.touchCopy()
	}
	r.succeeded(r.Current())
	return nil
}

// readDocuments reads what has changed, and returns all that is there now and
// whether anything was read.
func (r *Refresher) readDocuments(ctx context.Context, dirty map[mongostore.ID]bool) (next entries, read bool, err error) {
	if r.held == nil || r.count%fullEvery == 0 {
		next, err = r.readAll(ctx)
		return next, true, err
	}
	stamps, err := r.store.Stamps(ctx)
	if err != nil {
		return nil, false, err
	}
	next = make(entries, len(stamps))
	var changed []mongostore.ID
	for _, stamp := range stamps {
		entry, ok := r.held[stamp.ID]
		if !ok || dirty[stamp.ID] || stamp.Updated.IsZero() || !stamp.Updated.Equal(entry.Updated) {
			changed = append(changed, stamp.ID)
			continue
		}
		next[stamp.ID] = entry
	}
	if len(changed) > len(stamps)/2 {
		next, err = r.readAll(ctx)
		return next, true, err
	}
	fetched, err := r.store.Fetch(ctx, changed)
	next.add(fetched)
	return next, len(changed) > 0, err
}

func (r *Refresher) readAll(ctx context.Context) (entries, error) {
	all, err := r.store.All(ctx)
	next := make(entries, len(all))
	next.add(all)
	return next, err
}

// entries are documents by their _id.
type entries map[mongostore.ID]mongostore.Entry

func (e entries) add(more []mongostore.Entry) {
	for _, entry := range more {
		entry.Problems = nil // those of malformed documents are in Invalid
		e[entry.ID] = entry
	}
}

// swap makes a set of what is held, and lets it hold unless it says the same as
// the one that does: whoever has judged by that need not judge again. Which of two
// duplicates describes hangs on their dates, which no version tells.
func (r *Refresher) swap(read bool) {
	contents := mongostore.Contents(slices.Collect(maps.Values(r.held)), r.rules)
	contents.Embedded = true
	was, set := r.Current(), policy.Build(r.platform, contents)
	stats := set.Stats()
	// A seeded catalogue says nothing new, but there is more of it.
	same := set.Version() == was.Version() && reflect.DeepEqual(stats, was.Stats()) && !(read && stats.Invalid > 0)
	if !same {
		r.current.Store(set)
	}
	if !same || r.count == 1 || r.copyFailed() {
		contents.Embedded = false
		r.saveCopy(&contents)
	} else {
		r.touchCopy()
	}
}

// takeDirty takes the _ids of which the change stream told.
func (r *Refresher) takeDirty() map[mongostore.ID]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	dirty := r.dirty
	r.dirty = make(map[mongostore.ID]bool)
	return dirty
}

// putBack keeps them for the next time.
func (r *Refresher) putBack(dirty map[mongostore.ID]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.dirty, dirty)
}

// watch follows the change stream where there is one. It is an improvement that
// nobody is told about when it fails: refreshes go on without it.
func (r *Refresher) watch(ctx context.Context) {
	for {
		err := r.store.Watch(ctx, func() { r.setStream(true); r.notice() }, r.changed)
		r.setStream(false)
		if ctx.Err() != nil {
			return
		}
		pause := r.interval
		if mongostore.IsUnsupported(err) {
			pause = unsupportedPause
		}
		r.logger.Debug("no change stream", "retry_in", pause, "err", err)
		if !sleep(ctx, pause-spread(pause, 0.2)) {
			return
		}
	}
}

// unsupportedPause is how long a server that has no change streams is not asked
// again: it may become a replica set.
const unsupportedPause = time.Hour

// changed notes that a document has changed, or something else where id is
// empty.
func (r *Refresher) changed(id mongostore.ID) {
	if id != "" {
		r.mu.Lock()
		r.dirty[id] = true
		r.mu.Unlock()
	}
	r.notice()
}
