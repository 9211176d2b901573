package mongotest

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"server-monitor/internal/policy"
)

// TestIndexed has no collection, an index that keeps nothing unique, and that of
// a seeded database.
func TestIndexed(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store, known := openStore(t, server.URI()), shell(t, server.URI()).Collection(policy.KnownProcesses)
	want := func(indexed bool) {
		t.Helper()
		if got, err := store.Indexed(t.Context()); err != nil || got != indexed {
			t.Errorf("indexed: %v, %v; want %v", got, err, indexed)
		}
	}
	want(false)
	insert(t, known, seedShape("job"))
	plain := mongo.IndexModel{Keys: bson.D{{Key: "platform", Value: 1}, {Key: "name", Value: 1}}}
	if _, err := known.Indexes().CreateOne(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	want(false)
	if _, err := store.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(true)
}
