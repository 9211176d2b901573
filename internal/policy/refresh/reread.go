package refresh

import (
	"context"
	"maps"

	"server-monitor/internal/policy/mongostore"
)

// Reread brings the set up to date with what the primary has about one name, and
// with all rules: at once for whoever has just changed a document, without
// reading all others. Where it fails, the next refresh, which is asked for, finds
// the change by its date.
func (r *Refresher) Reread(ctx context.Context, name string) error {
	err := r.reread(ctx, name)
	if err != nil {
		r.logger.Warn("a change of policy does not hold here yet", "err", err)
		r.notice()
	}
	return err
}

func (r *Refresher) reread(ctx context.Context, name string) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer r.end()
	if r.held == nil { // there is nothing to which one document could be added
		return r.refresh(ctx)
	}
	entries, rules, err := r.store.Lookup(ctx, []string{name}, "")
	if err != nil {
		return err
	}
	next := maps.Clone(r.held)
	maps.DeleteFunc(next, func(_ mongostore.ID, e mongostore.Entry) bool { return nameOf(&e) == name })
	next.add(entries)
	r.held, r.rules = next, rules
	r.swap(true)
	return nil
}

// nameOf is the name that a document is about, malformed or not.
func nameOf(e *mongostore.Entry) string {
	if e.Invalid != nil {
		return e.Invalid.Name
	}
	return e.Document.Name
}
