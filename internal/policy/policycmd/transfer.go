package policycmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/process"
)

// File is a named source of documents.
type File struct {
	Name   string
	Reader io.Reader
}

// Export writes both collections as extended JSON, which is its only form.
func (p *Printer) Export(ctx context.Context, store *mongostore.Store) error {
	if store == nil {
		return ErrNoStore
	}
	return store.Export(ctx, p.W)
}

// Import writes what is in files into the collections, unless anything in them
// is malformed. Arrays and single documents belong to the given collection.
func (p *Printer) Import(ctx context.Context, store *mongostore.Store, files []File, collection string, dry bool) error {
	if store == nil {
		return ErrNoStore
	}
	items, problems, err := readFiles(files, collection)
	if err != nil {
		return err
	}
	if grave := graveOnly(problems); len(grave) > 0 {
		return errors.Join(ErrProblems, p.problems(grave))
	}
	done, err := store.Import(ctx, items, dry)
	if err != nil {
		return err
	}
	if p.JSON {
		return p.json(struct {
			DryRun bool `json:"dry_run"`
			mongostore.Imported
		}{dry, done})
	}
	note := ""
	if dry {
		note = " (nothing was written)"
	}
	return p.line("%d added, %d changed, %d unchanged%s", done.Added, done.Changed, done.Unchanged, note)
}

// Located is a problem and where it was found.
type Located struct {
	// Source is the file, or the database.
	Source string `json:"source"`
	// Place is where in it: "known_processes[3]", or the collection.
	Place string `json:"place"`
	policy.Problem
}

// readFiles reads all items of files, and what is wrong with them.
func readFiles(files []File, collection string) ([]mongostore.Item, []Located, error) {
	var all []mongostore.Item
	var problems []Located
	seen := make(map[string]bool)
	for _, file := range files {
		items, err := mongostore.ReadItems(file.Reader, collection)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", process.Printable(file.Name), err)
		}
		for i := range items {
			for _, problem := range items[i].Problems() {
				problems = append(problems, Located{process.Printable(file.Name), items[i].Place, problem})
			}
			if problem := duplicate(&items[i], seen); problem != nil {
				problems = append(problems, Located{process.Printable(file.Name), items[i].Place, *problem})
			}
		}
		all = append(all, items...)
	}
	return all, problems, nil
}

// duplicate tells a document whose name was there before.
func duplicate(item *mongostore.Item, seen map[string]bool) *policy.Problem {
	if item.Collection != policy.KnownProcesses {
		return nil
	}
	d := mongostore.Decode(item.Raw).Document
	name := string(d.Platform) + "/" + d.Name
	if d.Name == "" || !seen[name] {
		seen[name] = true
		return nil
	}
	return &policy.Problem{Document: process.Printable(name), Field: "name", Text: "is a duplicate: it was there before", Grave: true}
}

func graveOnly(all []Located) []Located {
	var grave []Located
	for _, l := range all {
		if l.Grave {
			grave = append(grave, l)
		}
	}
	return grave
}

// problems prints what is wrong, a line each.
func (p *Printer) problems(all []Located) error {
	if p.JSON {
		return p.json(append([]Located{}, all...))
	}
	for _, l := range all {
		kind := "advice"
		if l.Grave {
			kind = "malformed"
		}
		if err := p.line("%s: %s: %s: %s", l.Source, l.Place, kind, l.Problem); err != nil {
			return err
		}
	}
	return nil
}

// ValidateFiles says what is wrong with files. It returns [ErrProblems] where
// anything is grave.
func (p *Printer) ValidateFiles(files []File, collection string) error {
	items, problems, err := readFiles(files, collection)
	if err != nil {
		return err
	}
	return p.verdict(len(items), problems)
}

// ValidateStore says what is wrong with the collections.
func (p *Printer) ValidateStore(ctx context.Context, store *mongostore.Store) error {
	if store == nil {
		return ErrNoStore
	}
	entries, err := store.All(ctx)
	if err != nil {
		return err
	}
	rules, err := store.Rules(ctx)
	if err != nil {
		return err
	}
	var problems []Located
	note := func(collection, id string, found []policy.Problem) {
		for _, problem := range found {
			problems = append(problems, Located{store.Database(), collection + " " + id, problem})
		}
	}
	for i := range entries {
		note(policy.KnownProcesses, entries[i].ID.String(), entries[i].Problems)
	}
	for i := range rules {
		note(policy.ProcessRules, rules[i].ID.String(), rules[i].Problems)
	}
	// Duplicates are found by putting all together.
	set := policy.Build(policy.Linux, policy.Contents{Store: mongostore.Contents(entries, nil).Store})
	for _, in := range set.Invalid() {
		note(in.Collection, "", in.Problems)
	}
	return p.verdict(len(entries)+len(rules), problems)
}

// verdict prints problems and sums up.
func (p *Printer) verdict(n int, problems []Located) error {
	if err := p.problems(problems); err != nil {
		return err
	}
	grave := len(graveOnly(problems))
	if !p.JSON {
		if err := p.line("%d documents and rules: %d malformed fields, %d pieces of advice", n, grave, len(problems)-grave); err != nil {
			return err
		}
	}
	if grave > 0 {
		return ErrProblems
	}
	return nil
}
