package mongostore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
)

// Item is one document or rule of a file.
type Item struct {
	Collection string
	// Place is where in the file it is: "known_processes[3]".
	Place string
	Raw   bson.Raw
}

// Problems say what is wrong with an item.
func (i *Item) Problems() []policy.Problem {
	if i.Collection == policy.ProcessRules {
		return DecodeRule(i.Raw).Problems
	}
	return Decode(i.Raw).Problems
}

// ReadItems reads extended JSON: what [Store.Export] wrote, or what mongoexport
// does, an array of documents or one document after the other. Those of the
// latter two belong to the given collection.
func ReadItems(r io.Reader, collection string) ([]Item, error) {
	decoder := json.NewDecoder(r)
	var all []Item
	for {
		var value json.RawMessage
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("byte %d: %w", decoder.InputOffset(), err)
		}
		items, err := readValue(value, collection, len(all))
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
	}
}

// readValue reads one value of a file; before it there were n documents.
func readValue(value json.RawMessage, collection string, n int) ([]Item, error) {
	if value[0] == '[' {
		return readArray(value, collection)
	}
	var both map[string]json.RawMessage
	if err := json.Unmarshal(value, &both); err != nil {
		return nil, fmt.Errorf("want documents: %w", err)
	}
	var all []Item
	found := false
	for _, name := range [...]string{policy.KnownProcesses, policy.ProcessRules} {
		documents, ok := both[name]
		if !ok {
			continue
		}
		found = true
		items, err := readArray(documents, name)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
	}
	if found {
		return all, nil
	}
	item, err := readItem(value, collection, n)
	return []Item{item}, err
}

func readArray(value json.RawMessage, collection string) ([]Item, error) {
	var documents []json.RawMessage
	if err := json.Unmarshal(value, &documents); err != nil {
		return nil, fmt.Errorf("%s: want an array of documents: %w", collection, err)
	}
	all := make([]Item, 0, len(documents))
	for n, document := range documents {
		item, err := readItem(document, collection, n)
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

// readItem reads one document.
func readItem(value json.RawMessage, collection string, n int) (Item, error) {
	item := Item{Collection: collection, Place: fmt.Sprintf("%s[%d]", collection, n)}
	var document bson.D
	if err := bson.UnmarshalExtJSON(value, false, &document); err != nil {
		return item, fmt.Errorf("%s: %w", item.Place, err)
	}
	raw, err := bson.Marshal(document)
	if err != nil {
		return item, fmt.Errorf("%s: %w", item.Place, err)
	}
	item.Raw = raw
	return item, nil
}

// writeDocument writes one document in extended JSON: relaxed, which people can
// read, unless that would lose the type of a number.
func writeDocument(w io.Writer, raw bson.Raw) error {
	text, err := bson.MarshalExtJSON(raw, false, false)
	if err != nil {
		return err
	}
	if item, err := readItem(text, "", 0); err != nil || !bytes.Equal(item.Raw, raw) {
		if text, err = bson.MarshalExtJSON(raw, true, false); err != nil {
			return err
		}
	}
	_, err = w.Write(text)
	return err
}
