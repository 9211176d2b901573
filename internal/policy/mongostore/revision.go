package mongostore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"server-monitor/internal/policy"
)

// Revision names one state of a document, all of it. It is empty where there is
// no document.
type Revision string

// ErrRevision says that a document is not in the revision that a change was made
// from: somebody else was faster.
var ErrRevision = errors.New("the document is in another revision")

func revisionOf(raw bson.Raw) Revision {
	sum := sha256.Sum256(raw)
	return Revision(hex.EncodeToString(sum[:12]))
}

// Held is a document with its revision.
type Held struct {
	Entry
	Revision Revision
}

// Hold reads one document with its revision, nil where there is none.
func (s *Store) Hold(ctx context.Context, platform policy.Platform, name string) (*Held, error) {
	raw, err := s.raw(ctx, platform, name)
	if raw == nil || err != nil {
		return nil, err
	}
	return &Held{Decode(raw), revisionOf(raw)}, nil
}

// PutRevision writes a document as [Store.Put] does, but only over the revision
// that is given, or where there is none if that is empty. It returns what it
// wrote.
func (s *Store) PutRevision(ctx context.Context, d *policy.Document, over Revision) (*Held, error) {
	if problems := onlyGrave(policy.Validate(d)); len(problems) > 0 {
		return nil, &ProblemsError{problems}
	}
	held, err := s.inRevision(ctx, d.Platform, d.Name, over)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	var written bson.Raw
	if held == nil {
		written, err = s.create(ctx, d, now)
	} else {
		change := changeOf(d, held, now)
		written, err = s.known().FindOneAndUpdate(ctx, unchanged(held), change,
			options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw()
	}
	switch {
	case errors.Is(err, mongo.ErrNoDocuments), mongo.IsDuplicateKeyError(err):
		return nil, fmt.Errorf("%s/%s: %w", d.Platform, d.Name, ErrRevision)
	case err != nil:
		return nil, s.redact.wrap("write to known_processes", err)
	}
	return &Held{Decode(written), revisionOf(written)}, nil
}

// create inserts a document, whose _id is made here so that all of it is known.
// Only the unique index keeps two clients from making one each.
func (s *Store) create(ctx context.Context, d *policy.Document, now time.Time) (bson.Raw, error) {
	if err := s.makeIndex(ctx); err != nil && !isUnauthorised(err) {
		return nil, err
	}
	whole := append(bson.D{{Key: "_id", Value: bson.NewObjectID()}}, content(d)...)
	whole = append(whole, bson.E{Key: "created_at", Value: now}, bson.E{Key: "updated_at", Value: now})
	raw, err := bson.Marshal(whole)
	if err != nil {
		return nil, err
	}
	_, err = s.known().InsertOne(ctx, bson.Raw(raw))
	return raw, err
}

// DeleteRevision removes a document in the revision that is given.
func (s *Store) DeleteRevision(ctx context.Context, platform policy.Platform, name string, revision Revision) error {
	held, err := s.inRevision(ctx, platform, name, revision)
	if err != nil {
		return err
	}
	result, err := s.known().DeleteOne(ctx, unchanged(held))
	if err != nil {
		return s.redact.wrap("delete from known_processes", err)
	}
	if result.DeletedCount == 0 {
		return fmt.Errorf("%s/%s: %w", platform, name, ErrRevision)
	}
	return nil
}

// inRevision reads a document that must be in a revision.
func (s *Store) inRevision(ctx context.Context, platform policy.Platform, name string, revision Revision) (bson.Raw, error) {
	held, err := s.raw(ctx, platform, name)
	if err != nil {
		return nil, err
	}
	now := Revision("")
	if held != nil {
		now = revisionOf(held)
	}
	if now != revision {
		return nil, fmt.Errorf("%s/%s: %w", platform, name, ErrRevision)
	}
	return held, nil
}

// unchanged finds a document that was read a moment ago, unless it was changed
// since: every change sets updated_at, and whoever forgets that changes policy.
func unchanged(held bson.Raw) bson.D {
	filter := bson.D{{Key: "_id", Value: idOf(held).value()}}
	for _, field := range [...]string{"updated_at", "policy"} {
		value := any(bson.D{{Key: "$exists", Value: false}})
		if was, err := held.LookupErr(field); err == nil {
			value = bson.D{{Key: "$eq", Value: was}}
		}
		filter = append(filter, bson.E{Key: field, Value: value})
	}
	return filter
}
