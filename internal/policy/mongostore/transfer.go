package mongostore

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"server-monitor/internal/policy"
)

// Export writes both collections as extended JSON, every field and _id as it is,
// in an order that does not change.
func (s *Store) Export(ctx context.Context, w io.Writer) error {
	buffered := bufio.NewWriter(w)
	separator := "{"
	for _, c := range [...]struct {
		name string
		sort bson.D
	}{
		{policy.KnownProcesses, bson.D{{Key: "name", Value: 1}, {Key: "platform", Value: 1}}},
		{policy.ProcessRules, bson.D{{Key: "_id", Value: 1}}},
	} {
		fmt.Fprintf(buffered, "%s\n%q: [", separator, c.name)
		if err := s.exportOne(ctx, buffered, c.name, c.sort); err != nil {
			return s.redact.wrap("export "+c.name, err)
		}
		buffered.WriteString("\n]")
		separator = ","
	}
	buffered.WriteString("\n}\n")
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// exportOne writes the documents of a collection, one a line.
func (s *Store) exportOne(ctx context.Context, w *bufio.Writer, name string, sort bson.D) error {
	separator := "\n"
	var failed error
	o := options.Find().SetSort(sort).SetBatchSize(batchSize)
	err := s.each(ctx, s.current(name), bson.D{}, o, func(raw bson.Raw) {
		w.WriteString(separator)
		separator = ",\n"
		failed = errors.Join(failed, writeDocument(w, raw))
	})
	return errors.Join(err, failed)
}

// Imported is what [Store.Import] did, or would do.
type Imported struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
}

// Import writes documents and rules as they are in a file. A document replaces
// the one of its name and platform, whose _id stays; a rule the one of its _id.
// Nothing is written where any of them is malformed. Where the content changes
// and updated_at does not, it is set to now, so that every server notices.
func (s *Store) Import(ctx context.Context, items []Item, dry bool) (Imported, error) {
	var wrong []policy.Problem
	for i := range items {
		wrong = append(wrong, onlyGrave(items[i].Problems())...)
	}
	if len(wrong) > 0 {
		return Imported{}, &ProblemsError{wrong}
	}
	held, err := s.rawByName(ctx)
	if err != nil {
		return Imported{}, err
	}
	if err := s.rawRules(ctx, held); err != nil {
		return Imported{}, err
	}
	var done Imported
	now := time.Now().UTC()
	fresh := make(map[string][]any)
	for i := range items {
		item := &items[i]
		was := held[item.key()]
		if was == nil {
			done.Added++
			fresh[item.Collection] = append(fresh[item.Collection], dated(item, now))
			continue
		}
		if err := s.importOver(ctx, &done, item, was, now, dry); err != nil {
			return done, s.redact.wrap("import "+item.Place, err)
		}
	}
	if dry {
		return done, nil
	}
	return done, s.addAll(ctx, fresh)
}

// addAll adds new documents to their collections.
func (s *Store) addAll(ctx context.Context, fresh map[string][]any) error {
	for collection, documents := range fresh {
		for batch := range slices.Chunk(documents, fetchSize) {
			if _, err := s.collection(collection).InsertMany(ctx, batch); err != nil {
				return s.redact.wrap("import into "+collection, err)
			}
		}
	}
	return nil
}

// rawRules adds the rules to what is held.
func (s *Store) rawRules(ctx context.Context, held map[string]bson.Raw) error {
	err := s.each(ctx, s.current(policy.ProcessRules), bson.D{}, options.Find(), func(raw bson.Raw) {
		kept := append(bson.Raw{}, raw...)
		held["rule "+string(idOf(raw))] = kept
		held[sameRule(kept)] = kept
	})
	return s.redact.wrap("read process_rules", err)
}

// key is what an item replaces.
func (i *Item) key() string {
	if i.Collection == policy.ProcessRules {
		if id := idOf(i.Raw); id != "" {
			return "rule " + string(id)
		}
		return sameRule(i.Raw)
	}
	e := Decode(i.Raw)
	return string(e.Document.Platform) + "/" + e.Document.Name
}

// sameRule finds a rule that came without an _id by what it says, so that the
// same file imported twice does not make two of it.
func sameRule(raw bson.Raw) string {
	body, err := withoutID(raw)
	if err != nil {
		return ""
	}
	return "rule like " + string(encode(body))
}

// importOver writes one item over what is held.
func (s *Store) importOver(ctx context.Context, done *Imported, item *Item, held bson.Raw, now time.Time, dry bool) error {
	body, err := withoutID(item.Raw)
	if err != nil {
		return err
	}
	was, err := withoutID(held)
	if err != nil {
		return err
	}
	if bytes.Equal(encode(body), encode(was)) {
		done.Unchanged++
		return nil
	}
	done.Changed++
	if dry {
		return nil
	}
	if item.Collection == policy.KnownProcesses {
		body = withDate(body, held, now)
	}
	_, err = s.collection(item.Collection).ReplaceOne(ctx, bson.D{{Key: "_id", Value: idOf(held).value()}}, body)
	return err
}

// withoutID are the fields of a document but its _id.
func withoutID(raw bson.Raw) (bson.D, error) {
	elements, err := raw.Elements()
	if err != nil {
		return nil, err
	}
	body := make(bson.D, 0, len(elements))
	for _, element := range elements {
		if element.Key() != "_id" {
			body = append(body, bson.E{Key: element.Key(), Value: element.Value()})
		}
	}
	return body, nil
}

// encode is the BSON of values that have been BSON already.
func encode(body bson.D) []byte {
	raw, err := bson.Marshal(body)
	if err != nil {
		return nil
	}
	return raw
}

// dated is a new document, with the dates that a file did not have.
func dated(item *Item, now time.Time) bson.D {
	var document bson.D
	elements, err := item.Raw.Elements()
	if err != nil {
		return nil // the item was decoded before
	}
	for _, element := range elements {
		document = append(document, bson.E{Key: element.Key(), Value: element.Value()})
	}
	if item.Collection != policy.KnownProcesses {
		return document
	}
	for _, name := range [...]string{"created_at", "updated_at"} {
		if item.Raw.Lookup(name).Type == 0 {
			document = append(document, bson.E{Key: name, Value: now})
		}
	}
	return document
}

// withDate sees to it that changed content bears another date than what is held.
func withDate(body bson.D, held bson.Raw, now time.Time) bson.D {
	was, _ := held.Lookup("updated_at").TimeOK()
	for i, element := range body {
		if element.Key != "updated_at" {
			continue
		}
		if value, ok := element.Value.(bson.RawValue); ok {
			if date, ok := value.TimeOK(); ok && !date.Equal(was) {
				return body
			}
		}
		body[i].Value = later(held, now)
		return body
	}
	return append(body, bson.E{Key: "updated_at", Value: later(held, now)})
}
