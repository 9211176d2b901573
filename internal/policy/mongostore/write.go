package mongostore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"server-monitor/internal/policy"
)

// Errors of writing.
var (
	// ErrMalformed says that a document would be malformed; [ProblemsError]
	// holds why.
	ErrMalformed = errors.New("malformed document")
	// ErrDuplicate says that there is more than one document of a name, so that
	// it is not certain which is meant.
	ErrDuplicate = errors.New("more than one document of this name and platform")
)

// ProblemsError says what is wrong with a document that was not written.
type ProblemsError struct{ Problems []policy.Problem }

// Error names all problems.
func (e *ProblemsError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "; ")
}

// Unwrap is [ErrMalformed].
func (*ProblemsError) Unwrap() error { return ErrMalformed }

// key is the filter of a document by its name.
func key(platform policy.Platform, name string) bson.D {
	return bson.D{{Key: "name", Value: name}, {Key: "platform", Value: string(platform)}}
}

// Put writes a document: it makes one, or changes the one of that name and
// leaves alone the fields that are not known. It sets updated_at to now, so that
// every server notices.
func (s *Store) Put(ctx context.Context, d *policy.Document) (created bool, err error) {
	if problems := onlyGrave(policy.Validate(d)); len(problems) > 0 {
		return false, &ProblemsError{problems}
	}
	held, err := s.raw(ctx, d.Platform, d.Name)
	if err != nil {
		return false, err
	}
	now := time.Now().UTC()
	if held == nil {
		whole := append(content(d), bson.E{Key: "created_at", Value: now}, bson.E{Key: "updated_at", Value: now})
		_, err = s.known().InsertOne(ctx, whole)
		return err == nil, s.redact.wrap("write to known_processes", err)
	}
	_, err = s.known().UpdateOne(ctx, bson.D{{Key: "_id", Value: idOf(held).value()}}, changeOf(d, held, now))
	return false, s.redact.wrap("write to known_processes", err)
}

// changeOf is the update that makes a document say what d says.
func changeOf(d *policy.Document, held bson.Raw, now time.Time) bson.D {
	_, inside := held.Lookup("policy").DocumentOK()
	set, unset := update(d, inside)
	set = append(set, bson.E{Key: "updated_at", Value: later(held, now)})
	change := bson.D{{Key: "$set", Value: set}}
	if len(unset) > 0 {
		change = append(change, bson.E{Key: "$unset", Value: unset})
	}
	return change
}

// later is now, or just behind the date that the document bears already: a
// client whose clock is behind must not write the date that is there.
func later(held bson.Raw, now time.Time) time.Time {
	if was, ok := held.Lookup("updated_at").TimeOK(); ok && !now.Truncate(time.Millisecond).After(was) {
		return was.UTC().Add(time.Millisecond)
	}
	return now
}

// Get reads one document, nil where there is none.
func (s *Store) Get(ctx context.Context, platform policy.Platform, name string) (*Entry, error) {
	raw, err := s.raw(ctx, platform, name)
	if raw == nil || err != nil {
		return nil, err
	}
	e := Decode(raw)
	return &e, nil
}

// raw reads one document as it is, nil where there is none.
func (s *Store) raw(ctx context.Context, platform policy.Platform, name string) (bson.Raw, error) {
	var found []bson.Raw
	err := s.each(ctx, s.current(policy.KnownProcesses), key(platform, name), options.Find().SetLimit(2), func(raw bson.Raw) {
		found = append(found, append(bson.Raw{}, raw...))
	})
	switch {
	case err != nil:
		return nil, s.redact.wrap("read known_processes", err)
	case len(found) == 0:
		return nil, nil
	case len(found) > 1:
		return nil, fmt.Errorf("%s/%s: %w", platform, name, ErrDuplicate)
	}
	return found[0], nil
}

// Delete removes the documents of a name, duplicates too, and says how many
// there were.
func (s *Store) Delete(ctx context.Context, platform policy.Platform, name string) (int64, error) {
	result, err := s.known().DeleteMany(ctx, key(platform, name))
	if err != nil {
		return 0, s.redact.wrap("delete from known_processes", err)
	}
	return result.DeletedCount, nil
}

// DeleteID removes a document or rule by its _id as [ID.String] shows it, which
// is the only way to name one whose name cannot be read.
func (s *Store) DeleteID(ctx context.Context, collection, id string) (int64, error) {
	wanted := bson.A{id}
	if oid, err := bson.ObjectIDFromHex(id); err == nil {
		wanted = append(wanted, oid)
	}
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: wanted}}}}
	result, err := s.collection(collection).DeleteMany(ctx, filter)
	if err != nil {
		return 0, s.redact.wrap("delete from "+collection, err)
	}
	return result.DeletedCount, nil
}

// insert adds documents that were not there a moment ago, and says how many it
// added. Those that somebody else added meanwhile are left as they are.
func (s *Store) insert(ctx context.Context, c *mongo.Collection, documents []any) (int, error) {
	added := 0
	for batch := range slices.Chunk(documents, fetchSize) {
		_, err := c.InsertMany(ctx, batch, options.InsertMany().SetOrdered(false))
		if err != nil && !onlyDuplicates(err) {
			return added, err
		}
		added += len(batch) - duplicates(err)
	}
	return added, nil
}

// duplicates counts the documents that were there already.
func duplicates(err error) int {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) {
		return 0
	}
	return len(bulk.WriteErrors)
}

// onlyDuplicates tells an error that says no more than that.
func onlyDuplicates(err error) bool {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil || len(bulk.WriteErrors) == 0 {
		return false
	}
	for _, e := range bulk.WriteErrors {
		if !mongo.IsDuplicateKeyError(e) {
			return false
		}
	}
	return true
}
