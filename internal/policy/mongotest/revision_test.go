package mongotest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
)

func revised(name, reason string) *policy.Document {
	return &policy.Document{
		Name: name, Platform: policy.Linux, Category: "utility", Description: "A tool.", DescriptionI18n: map[string]string{"en": "A tool.", "ko": "도구입니다."},
		Policy: policy.Policy{Terminatable: true, Reason: reason},
	}
}

// TestRevisions changes a document as two administrators would.
func TestRevisions(t *testing.T) {
	server := startServer(t)
	store := openStore(t, server.URI())
	ctx := t.Context()
	if held, err := store.Hold(ctx, policy.Linux, "tool"); held != nil || err != nil {
		t.Fatalf("held %v, %v", held, err)
	}
	if _, err := store.PutRevision(ctx, revised("tool", "one"), "0123"); !errors.Is(err, mongostore.ErrRevision) {
		t.Errorf("over what is not there: %v", err)
	}
	first, err := store.PutRevision(ctx, revised("tool", "one"), "")
	if err != nil {
		t.Fatal(err)
	}
	read := func() *mongostore.Held {
		t.Helper()
		held, err := store.Hold(ctx, policy.Linux, "tool")
		if err != nil || held == nil {
			t.Fatalf("held %v, %v", held, err)
		}
		return held
	}
	if held := read(); held.Revision != first.Revision || held.Document.Policy.Reason != "one" {
		t.Errorf("held %+v, want revision %s", held, first.Revision)
	}
	if _, err := store.PutRevision(ctx, revised("tool", "two"), ""); !errors.Is(err, mongostore.ErrRevision) {
		t.Errorf("made twice: %v", err)
	}
	second, err := store.PutRevision(ctx, revised("tool", "two"), first.Revision)
	if err != nil || second.Revision == first.Revision || second.Document.Policy.Reason != "two" {
		t.Fatalf("second %+v, %v", second, err)
	}
	if held := read(); held.Revision != second.Revision {
		t.Errorf("revision %s, want %s", held.Revision, second.Revision)
	}
	if _, err := store.PutRevision(ctx, revised("tool", "three"), first.Revision); !errors.Is(err, mongostore.ErrRevision) {
		t.Errorf("over an old revision: %v", err)
	}
	// Somebody changes it by hand and leaves updated_at as it is.
	if _, err := shell(t, server.URI()).Collection(policy.KnownProcesses).UpdateOne(ctx, bson.D{{Key: "name", Value: "tool"}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "owner", Value: "ops"}}}}); err != nil {
		t.Fatal(err)
	}
	if err := store.DeleteRevision(ctx, policy.Linux, "tool", second.Revision); !errors.Is(err, mongostore.ErrRevision) {
		t.Errorf("deleted in an old revision: %v", err)
	}
	if err := store.DeleteRevision(ctx, policy.Linux, "tool", read().Revision); err != nil {
		t.Error(err)
	}
	if held, err := store.Hold(ctx, policy.Linux, "tool"); held != nil || err != nil {
		t.Errorf("held %v, %v", held, err)
	}
	bad := revised("TOOL", "")
	if _, err := store.PutRevision(ctx, bad, ""); !errors.Is(err, mongostore.ErrMalformed) {
		t.Errorf("malformed: %v", err)
	}
}

// TestOneOfManyWritersWins has many administrators make one document at once.
// That changes are as exclusive hangs on findAndModify, which is atomic in MongoDB
// and not in the FerretDB of this test.
func TestOneOfManyWritersWins(t *testing.T) {
	server := startServer(t)
	store := openStore(t, server.URI())
	var won atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			switch _, err := store.PutRevision(t.Context(), revised("tool", "reason"), ""); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, mongostore.ErrRevision):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d writers won", won.Load())
	}
	if held, err := store.Hold(t.Context(), policy.Linux, "tool"); err != nil || held == nil {
		t.Errorf("held %v, %v", held, err)
	}
}
