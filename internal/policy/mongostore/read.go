package mongostore

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"server-monitor/internal/policy"
)

// Stamps lists the documents of known_processes by _id and updated_at alone:
// some 50 bytes each, by which everything that was added, changed, moved to an
// older date or deleted is noticed, in whatever order clients wrote it.
func (s *Store) Stamps(ctx context.Context) ([]Stamp, error) {
	o := options.Find().SetProjection(bson.D{{Key: "updated_at", Value: 1}}).SetBatchSize(batchSize)
	var all []Stamp
	err := s.each(ctx, s.known(), bson.D{}, o, func(raw bson.Raw) {
		stamp := Stamp{ID: idOf(raw)}
		if updated, ok := raw.Lookup("updated_at").TimeOK(); ok {
			stamp.Updated = updated.UTC()
		}
		all = append(all, stamp)
	})
	return all, s.redact.wrap("list known_processes", err)
}

// batchSize is how many documents the server sends at once.
const batchSize = 10_000

// All reads the whole of known_processes.
func (s *Store) All(ctx context.Context) ([]Entry, error) {
	entries, err := s.find(ctx, s.known(), bson.D{})
	return entries, s.redact.wrap("read known_processes", err)
}

// Rules reads the whole of process_rules.
func (s *Store) Rules(ctx context.Context) ([]RuleEntry, error) {
	rules, err := s.findRules(ctx, s.collection(policy.ProcessRules))
	return rules, s.redact.wrap("read process_rules", err)
}

// fetchSize is how many documents are asked for at once by their _id.
const fetchSize = 1000

// Fetch reads documents by their _id. Those that are gone are left out.
func (s *Store) Fetch(ctx context.Context, ids []ID) ([]Entry, error) {
	var all []Entry
	for batch := range slices.Chunk(ids, fetchSize) {
		wanted := make(bson.A, len(batch))
		for i, id := range batch {
			wanted[i] = id.value()
		}
		some, err := s.find(ctx, s.known(), bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: wanted}}}})
		if err != nil {
			return nil, s.redact.wrap("read changed documents of known_processes", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// Lookup reads what the primary has about names, and all rules, at once. Where
// cut is not empty, the names that begin with it are looked up too.
func (s *Store) Lookup(ctx context.Context, names []string, cut string) ([]Entry, []RuleEntry, error) {
	filter := bson.D{{Key: "name", Value: bson.D{{Key: "$in", Value: names}}}}
	if cut != "" {
		begins := bson.D{{Key: "name", Value: bson.D{{Key: "$gte", Value: cut}, {Key: "$lt", Value: cut + "\U0010ffff"}}}}
		filter = bson.D{{Key: "$or", Value: bson.A{filter, begins}}}
	}
	var entries []Entry
	var rules []RuleEntry
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		entries, err = s.find(ctx, s.current(policy.KnownProcesses), filter)
		return err
	})
	group.Go(func() (err error) {
		rules, err = s.findRules(ctx, s.current(policy.ProcessRules))
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, nil, s.redact.wrap("look up a process", err)
	}
	return entries, rules, nil
}

// find reads and decodes documents of known_processes.
func (s *Store) find(ctx context.Context, c *mongo.Collection, filter bson.D) ([]Entry, error) {
	var all []Entry
	err := s.each(ctx, c, filter, options.Find().SetBatchSize(batchSize), func(raw bson.Raw) { all = append(all, Decode(raw)) })
	return all, err
}

func (s *Store) findRules(ctx context.Context, c *mongo.Collection) ([]RuleEntry, error) {
	var all []RuleEntry
	err := s.each(ctx, c, bson.D{}, options.Find(), func(raw bson.Raw) { all = append(all, DecodeRule(raw)) })
	return all, err
}

// each calls do with every document that a filter finds. The document holds
// only during the call.
func (s *Store) each(ctx context.Context, c *mongo.Collection, filter bson.D, o *options.FindOptionsBuilder, do func(bson.Raw)) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	cursor, err := c.Find(ctx, filter, o)
	if err != nil {
		return err
	}
	defer cursor.Close(context.WithoutCancel(ctx)) // has the client's time limit
	for cursor.Next(ctx) {
		do(cursor.Current)
	}
	return cursor.Err()
}

// bounded limits a reading of many batches as a whole: each batch has its time
// limit too, but a server that sends one after the other slowly would never
// come to an end.
func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout)
}
