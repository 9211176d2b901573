package policycmd

import (
	"context"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
)

// Seed makes collections and index and writes a catalogue, which is
// [policy.Catalogue] but for tests, without touching what an operator wrote. With
// dry it only says what it would do.
func (p *Printer) Seed(ctx context.Context, store *mongostore.Store, catalogue []policy.Document, dry bool) error {
	if store == nil {
		return ErrNoStore
	}
	var prepared mongostore.Preparation
	if !dry {
		var err error
		if prepared, err = store.Prepare(ctx); err != nil {
			return err
		}
	}
	done, err := store.Seed(ctx, catalogue, dry)
	if err != nil {
		return err
	}
	if p.JSON {
		return p.json(struct {
			DryRun bool `json:"dry_run"`
			mongostore.Preparation
			mongostore.Seeding
		}{dry, prepared, done})
	}
	return p.seeded(&prepared, &done, dry)
}

// seeded says what seeding did.
func (p *Printer) seeded(prepared *mongostore.Preparation, done *mongostore.Seeding, dry bool) error {
	verb := ""
	if dry {
		verb = "would be "
	}
	lines := []struct {
		n    int
		text string
	}{
		{done.Added, verb + "added"}, {done.Updated, verb + "brought up to date"}, {done.Unchanged, "unchanged"},
		{done.Edited, "edited since they were seeded: left alone"}, {done.Own, "written by somebody else: left alone"},
	}
	for _, l := range lines {
		if err := p.line("%5d %s", l.n, l.text); err != nil {
			return err
		}
	}
	for _, name := range done.Kept {
		if err := p.line("      kept %s", name); err != nil {
			return err
		}
	}
	switch {
	case prepared.Validator:
		return p.line("The server checks the types of what is written.")
	case prepared.Note != "":
		return p.line("The server does not check the types of what is written: %s", prepared.Note)
	}
	return nil
}
