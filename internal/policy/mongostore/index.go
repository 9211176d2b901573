package mongostore

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Indexed tells whether the server keeps names unique: [Store.Prepare] makes
// the index that does.
func (s *Store) Indexed(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	specifications, err := s.known().Indexes().ListSpecifications(ctx)
	if err != nil {
		return false, s.redact.wrap("list the indexes of known_processes", err)
	}
	for _, specification := range specifications {
		var keys bson.D
		if bson.Unmarshal(specification.KeysDocument, &keys) != nil || len(keys) != 2 {
			continue
		}
		unique := specification.Unique != nil && *specification.Unique
		if unique && keys[0].Key == "name" && keys[1].Key == "platform" {
			return true, nil
		}
	}
	return false, nil
}
