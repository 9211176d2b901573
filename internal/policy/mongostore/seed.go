package mongostore

import (
	"context"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"server-monitor/internal/policy"
)

// seedField holds what a seeded document said when it was seeded, as
// [policy.Document.Digest] of it. As long as the document says the same, nobody
// has edited it, and a newer catalogue may replace it. A document that says
// something else, or that has no such field, is somebody's work.
const seedField = "seed"

// Seeding is what [Store.Seed] did, or would do.
type Seeding struct {
	// Added were not there, Updated were as an older catalogue had them,
	// Unchanged are as this one has them. Edited were left as an operator wrote
	// them, Own were never seeded.
	Added     int `json:"added"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Edited    int `json:"edited"`
	Own       int `json:"own"`
	// Kept names the documents of the catalogue that were left as an operator
	// wrote them.
	Kept []string `json:"kept,omitempty"`
}

// Seed writes the catalogue into the collection without touching what anybody
// wrote or changed. Done twice, it does nothing the second time. With dry it only
// tells what it would do.
func (s *Store) Seed(ctx context.Context, catalogue []policy.Document, dry bool) (Seeding, error) {
	held, err := s.rawByName(ctx)
	if err != nil {
		return Seeding{}, err
	}
	var done Seeding
	var missing []any
	now := time.Now().UTC()
	for i := range catalogue {
		d := &catalogue[i]
		raw, ok := held[string(d.Platform)+"/"+d.Name]
		if !ok {
			missing = append(missing, append(content(d), seedElement(d),
				bson.E{Key: "created_at", Value: now}, bson.E{Key: "updated_at", Value: now}))
			continue
		}
		if err := s.reseed(ctx, &done, d, raw, now, dry); err != nil {
			return done, err
		}
	}
	done.Added = len(missing)
	if !dry {
		done.Added, err = s.insert(ctx, s.known(), missing)
		done.Own += len(missing) - done.Added
	}
	slices.Sort(done.Kept)
	return done, s.redact.wrap("seed known_processes", err)
}

func seedElement(d *policy.Document) bson.E { return bson.E{Key: seedField, Value: d.Digest()} }

// rawByName reads the whole collection by platform and name. Of duplicates any
// is as good: none will be touched unless all were seeded.
func (s *Store) rawByName(ctx context.Context) (map[string]bson.Raw, error) {
	held := make(map[string]bson.Raw)
	err := s.each(ctx, s.current(policy.KnownProcesses), bson.D{}, options.Find().SetBatchSize(batchSize), func(raw bson.Raw) {
		name, _ := raw.Lookup("name").StringValueOK()
		platform, _ := raw.Lookup("platform").StringValueOK()
		held[platform+"/"+name] = append(bson.Raw{}, raw...)
	})
	return held, s.redact.wrap("read known_processes", err)
}

// reseed brings one document that is there up to the catalogue, if it was
// seeded and not edited since.
func (s *Store) reseed(ctx context.Context, done *Seeding, d *policy.Document, raw bson.Raw, now time.Time, dry bool) error {
	entry := Decode(raw)
	seeded, ok := raw.Lookup(seedField).StringValueOK()
	switch {
	case !ok:
		done.Own++
	case entry.Invalid != nil, entry.Document.Digest() != seeded:
		done.Edited++
	case seeded == d.Digest():
		done.Unchanged++
		return nil
	case dry:
		done.Updated++
		return nil
	default:
		updated, err := s.replaceSeeded(ctx, d, raw, now)
		if err != nil {
			return s.redact.wrap("seed known_processes", err)
		}
		if updated {
			done.Updated++
			return nil
		}
		done.Edited++ // in the meantime
	}
	done.Kept = append(done.Kept, string(d.Platform)+"/"+d.Name)
	return nil
}

// replaceSeeded changes a document, provided that it still is as it was read.
func (s *Store) replaceSeeded(ctx context.Context, d *policy.Document, raw bson.Raw, now time.Time) (bool, error) {
	filter := bson.D{{Key: "_id", Value: idOf(raw).value()}}
	elements, err := raw.Elements()
	if err != nil {
		return false, err
	}
	for _, element := range elements {
		if documentFields[element.Key()] && element.Key() != "_id" {
			filter = append(filter, bson.E{Key: element.Key(), Value: element.Value()})
		}
	}
	set, unset := update(d, true)
	set = append(set, seedElement(d), bson.E{Key: "updated_at", Value: later(raw, now)})
	change := bson.D{{Key: "$set", Value: set}}
	if len(unset) > 0 {
		change = append(change, bson.E{Key: "$unset", Value: unset})
	}
	result, err := s.known().UpdateOne(ctx, filter, change)
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}
