package mongotest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/policy/mongotest/ferret"
)

// startServer runs a FerretDB of the test's own.
func startServer(t testing.TB) *ferret.Server {
	t.Helper()
	server, err := ferret.Start("127.0.0.1:0", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

// openStore opens a store over a real connection.
func openStore(t testing.TB, uri string) *mongostore.Store {
	t.Helper()
	store, err := mongostore.Open(mongostore.Config{URI: uri, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store
}

// shell is what an operator with mongosh can do: anything.
func shell(t testing.TB, uri string) *mongo.Database {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetTimeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(context.Background()) })
	return client.Database(mongostore.DefaultDatabase)
}

// seedShape is a document as the README shows it, with what stock tools add.
func seedShape(name string, more ...bson.E) bson.D {
	return append(bson.D{
		{Key: "_id", Value: bson.NewObjectID()}, {Key: "name", Value: name}, {Key: "platform", Value: "linux"},
		{Key: "category", Value: "system_core"}, {Key: "description", Value: "서비스 호스트"},
		{Key: "policy", Value: bson.D{
			{Key: "is_system", Value: true}, {Key: "terminatable", Value: false}, {Key: "reason", Value: "core service"},
			{Key: "comment", Value: "kept"},
		}},
		{Key: "tags", Value: bson.A{"core", "protected"}},
		{Key: "created_at", Value: time.UnixMilli(1_700_000_000_123)}, {Key: "updated_at", Value: time.UnixMilli(1_700_000_000_456)},
		{Key: "owner", Value: bson.D{{Key: "team", Value: "ops"}}},
	}, more...)
}

func insert(t testing.TB, c *mongo.Collection, documents ...any) {
	t.Helper()
	if _, err := c.InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
}

func TestSeedIsIdempotentAndKeepsEdits(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store, db := openStore(t, server.URI()), shell(t, server.URI())
	if p, err := store.Prepare(t.Context()); err != nil || p.Validator || p.Note == "" {
		t.Fatalf("prepare: %+v, %v; FerretDB has no validators and says so", p, err)
	}
	catalogue := policy.Catalogue()[:40]
	known := db.Collection(policy.KnownProcesses)
	own := catalogue[0]
	mine := seedShape(own.Name)
	mine[2].Value = string(own.Platform)
	insert(t, known, mine)

	seed := func(documents []policy.Document, dry bool) mongostore.Seeding {
		t.Helper()
		done, err := store.Seed(t.Context(), documents, dry)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if dry := seed(catalogue, true); dry.Added != 39 || dry.Own != 1 {
		t.Errorf("dry run: %+v", dry)
	}
	if first := seed(catalogue, false); first.Added != 39 || first.Own != 1 || len(first.Kept) != 1 {
		t.Errorf("first: %+v", first)
	}
	if second := seed(catalogue, false); second.Unchanged != 39 || second.Added+second.Updated+second.Edited != 0 || second.Own != 1 {
		t.Errorf("second: %+v", second)
	}

	// An operator edits one by mongosh, without a thought of dates or hashes.
	edited := catalogue[5]
	_, err := known.UpdateOne(t.Context(), bson.D{{Key: "name", Value: edited.Name}}, bson.D{{Key: "$set", Value: bson.D{{Key: "policy.reason", Value: "mine"}}}})
	if err != nil {
		t.Fatal(err)
	}
	newer := slices.Clone(catalogue)
	for i := range newer {
		newer[i].Description += ", newer"
		newer[i].DescriptionI18n = maps.Clone(newer[i].DescriptionI18n)
		newer[i].DescriptionI18n["en"] += ", newer"
		newer[i] = fresh(newer[i])
	}
	if dry := seed(newer, true); dry.Updated != 38 || dry.Edited != 1 {
		t.Errorf("dry run of a newer catalogue: %+v", dry)
	}
	if third := seed(newer, false); third.Updated != 38 || third.Edited != 1 || third.Own != 1 {
		t.Errorf("newer catalogue: %+v", third)
	}
	if again := seed(newer, false); again.Unchanged != 38 || again.Updated != 0 {
		t.Errorf("newer catalogue again: %+v", again)
	}
	e, err := store.Get(t.Context(), edited.Platform, edited.Name)
	if err != nil || e.Document.Policy.Reason != "mine" || strings.Contains(e.Document.Description, "newer") {
		t.Errorf("the edit is gone: %+v, %v", e, err)
	}
	e, _ = store.Get(t.Context(), own.Platform, own.Name)
	if e == nil || e.Document.Description != "서비스 호스트" {
		t.Errorf("an operator's own document is gone: %+v", e)
	}
	e, _ = store.Get(t.Context(), newer[7].Platform, newer[7].Name)
	if e == nil || e.Document.Digest() != newer[7].Digest() || e.Document.UpdatedAt.IsZero() {
		t.Errorf("an untouched document was not brought up to date: %+v", e)
	}
}

// fresh is a document whose content is hashed anew.
func fresh(d policy.Document) policy.Document {
	return policy.Document{
		Name: d.Name, Platform: d.Platform, Category: d.Category, Description: d.Description, DescriptionI18n: d.DescriptionI18n,
		Policy: d.Policy, Paths: d.Paths, ExpectedWarnings: d.ExpectedWarnings, AutoTerminate: d.AutoTerminate, Tags: d.Tags,
	}
}

func TestSeedingAtTheSameTime(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	catalogue := policy.Catalogue()[:60]
	var wait sync.WaitGroup
	for range 4 {
		store := openStore(t, server.URI())
		if _, err := store.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		wait.Go(func() {
			if _, err := store.Seed(t.Context(), catalogue, false); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	n, err := shell(t, server.URI()).Collection(policy.KnownProcesses).CountDocuments(t.Context(), bson.D{})
	if err != nil || n != 60 {
		t.Errorf("%d documents, %v", n, err)
	}
}

func TestDocumentsOfStockTools(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store, db := openStore(t, server.URI()), shell(t, server.URI())
	insert(t, db.Collection(policy.KnownProcesses), seedShape("svchost"))
	entries, err := store.All(t.Context())
	if err != nil || len(entries) != 1 || entries[0].Invalid != nil {
		t.Fatalf("%+v, %v", entries, err)
	}
	d := entries[0].Document
	if d.Name != "svchost" || d.Description != "서비스 호스트" || !d.Denies() || d.UpdatedAt.UnixMilli() != 1_700_000_000_456 || len(d.Tags) != 2 {
		t.Errorf("%+v", d)
	}
	var unknown []string
	for _, p := range entries[0].Problems {
		if p.Grave {
			t.Errorf("grave: %v", p)
		}
		unknown = append(unknown, p.Field)
	}
	if !slices.Contains(unknown, "owner") || !slices.Contains(unknown, "policy.comment") {
		t.Errorf("unknown fields are not named: %v", unknown)
	}

	// Writing leaves alone what it does not know.
	d.Policy.Reason, d.Tags = "changed", nil
	if created, err := store.Put(t.Context(), &d); created || err != nil {
		t.Fatalf("put: %v, %v", created, err)
	}
	var raw bson.M
	if err := db.Collection(policy.KnownProcesses).FindOne(t.Context(), bson.D{}).Decode(&raw); err != nil {
		t.Fatal(err)
	}
	inner := raw["policy"].(bson.D).String()
	if raw["owner"] == nil || raw["tags"] != nil || !strings.Contains(inner, "kept") || !strings.Contains(inner, "changed") {
		t.Errorf("%+v", raw)
	}
	if updated := raw["updated_at"].(bson.DateTime); updated <= 1_700_000_000_456 {
		t.Errorf("updated_at %v was not moved", updated)
	}
}

func TestPutAndDelete(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store, db := openStore(t, server.URI()), shell(t, server.URI())
	d := policy.Document{Name: "job", Platform: policy.Linux, Category: "utility", Description: "x", Policy: policy.Policy{Terminatable: true}}
	if created, err := store.Put(t.Context(), &d); !created || err != nil {
		t.Fatalf("put: %v, %v", created, err)
	}
	bad := d
	bad.Name = "Job"
	if _, err := store.Put(t.Context(), &bad); !errors.Is(err, mongostore.ErrMalformed) {
		t.Errorf("a malformed document was written: %v", err)
	}
	known := db.Collection(policy.KnownProcesses)
	insert(t, known, seedShape("job"))
	if _, err := store.Put(t.Context(), &d); !errors.Is(err, mongostore.ErrDuplicate) {
		t.Errorf("one of two duplicates was written: %v", err)
	}
	if n, err := store.Delete(t.Context(), policy.Linux, "job"); n != 2 || err != nil {
		t.Errorf("delete: %d, %v", n, err)
	}
	id := bson.NewObjectID()
	insert(t, known, bson.D{{Key: "_id", Value: id}, {Key: "name", Value: 7}}, bson.D{{Key: "_id", Value: "plain"}})
	for _, text := range []string{id.Hex(), "plain"} {
		if n, err := store.DeleteID(t.Context(), policy.KnownProcesses, text); n != 1 || err != nil {
			t.Errorf("delete %s: %d, %v", text, n, err)
		}
	}
	// A document whose policy is no document can be put right.
	insert(t, known, bson.D{{Key: "name", Value: "odd"}, {Key: "platform", Value: "linux"}, {Key: "policy", Value: "none"}})
	d.Name = "odd"
	if _, err := store.Put(t.Context(), &d); err != nil {
		t.Error(err)
	}
	if e, err := store.Get(t.Context(), policy.Linux, "odd"); err != nil || e.Invalid != nil || !e.Document.Policy.Terminatable {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestExportAndImportRoundTrip(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store, db := openStore(t, server.URI()), shell(t, server.URI())
	insert(t, db.Collection(policy.KnownProcesses),
		seedShape("b", bson.E{Key: "long", Value: int64(5)}, bson.E{Key: "double", Value: 5.0}, bson.E{Key: "null", Value: nil}), seedShape("a"))
	insert(t, db.Collection(policy.ProcessRules), bson.D{
		{Key: "enabled", Value: true}, {Key: "priority", Value: int64(3)}, {Key: "match", Value: bson.D{{Key: "user", Value: "u"}}},
		{Key: "effect", Value: "protect"}, {Key: "reason", Value: "why"},
	})
	export := func() string {
		var b bytes.Buffer
		if err := store.Export(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	load := func(text string) mongostore.Imported {
		t.Helper()
		items, err := mongostore.ReadItems(strings.NewReader(text), policy.KnownProcesses)
		if err != nil {
			t.Fatal(err)
		}
		done, err := store.Import(t.Context(), items, false)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	first := export()
	if done := load(first); done.Unchanged != 3 || done.Added+done.Changed != 0 {
		t.Errorf("import of what is there: %+v", done)
	}
	if err := db.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if done := load(first); done.Added != 3 {
		t.Errorf("import into nothing: %+v", done)
	}
	if second := export(); second != first {
		t.Errorf("round trip:\n%s\n%s", first, second)
	}
	// The content changes, the date in the file does not: it is moved, or no
	// server would notice.
	before, _ := store.Get(t.Context(), policy.Linux, "a")
	if done := load(strings.Replace(first, `"core service"`, `"else"`, 1)); done.Changed != 1 || done.Unchanged != 2 {
		t.Errorf("import of a change: %+v", done)
	}
	after, _ := store.Get(t.Context(), policy.Linux, "a")
	if after.Document.Policy.Reason != "else" || !after.Updated.After(before.Updated) || after.ID != before.ID {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	wrong, err := mongostore.ReadItems(strings.NewReader(strings.Replace(first, `"terminatable":false`, `"terminatable":0`, 1)), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Import(t.Context(), wrong, false); !errors.Is(err, mongostore.ErrMalformed) || !strings.Contains(err.Error(), "linux/a: policy.terminatable") {
		t.Errorf("a malformed file: %v", err)
	}
}

func TestMalformedDocumentsAreNamed(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store, db := openStore(t, server.URI()), shell(t, server.URI())
	with := func(name string, change bson.D) bson.D {
		d := seedShape(name)
		for _, e := range change {
			i := slices.IndexFunc(d, func(have bson.E) bool { return have.Key == e.Key })
			if i < 0 {
				d = append(d, e)
			} else {
				d[i] = e
			}
		}
		return d
	}
	pol := func(terminatable any) bson.D {
		return bson.D{{Key: "policy", Value: bson.D{{Key: "is_system", Value: false}, {Key: "terminatable", Value: terminatable}, {Key: "reason", Value: ""}}}}
	}
	insert(t, db.Collection(policy.KnownProcesses),
		with("one", pol(1)), with("null", pol(nil)), with("text", pol("true")), with("fine", pol(true)), with("Capital", pol(true)),
		with("date", bson.D{{Key: "updated_at", Value: "2024-01-01"}}), with("paths", bson.D{{Key: "paths", Value: bson.A{"/x", 3}}}),
		with("auto", bson.D{{Key: "auto_terminate", Value: 1}}), with("nameless", bson.D{{Key: "name", Value: 12}}),
		with("place", bson.D{{Key: "platform", Value: "solaris"}}), with("gone", bson.D{{Key: "policy", Value: nil}}))
	insert(t, db.Collection(policy.ProcessRules),
		bson.D{{Key: "_id", Value: "typo"}, {Key: "enabled", Value: true}, {Key: "effect", Value: "protect"}, {Key: "match", Value: bson.D{{Key: "user", Value: "u"}, {Key: "process_name", Value: "x"}}}},
		bson.D{{Key: "_id", Value: "off"}, {Key: "enabled", Value: false}, {Key: "effect", Value: "protekt"}, {Key: "match", Value: bson.D{{Key: "user", Value: "v"}}}},
		bson.D{{Key: "_id", Value: "auto"}, {Key: "enabled", Value: true}, {Key: "effect", Value: "auto_terminate"}, {Key: "match", Value: bson.D{{Key: "user", Value: "v"}}}})
	entries, err := store.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules, err := store.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set := policy.Build(policy.Linux, mongostore.Contents(entries, rules))
	if n := set.Stats().Invalid; n != 13 {
		t.Errorf("%d invalid, want 13: %+v", n, set.Invalid())
	}
	for _, in := range set.Invalid() {
		if len(in.Problems) == 0 || in.ID == "" {
			t.Errorf("not named: %+v", in)
		}
	}
	denied := map[string]bool{
		"one": true, "null": true, "text": true, "fine": false, "capital": true, "date": true, "paths": true, "auto": true,
		"nameless": false, "place": true, "gone": true, "unheard-of": false,
	}
	for name, want := range denied {
		if d := set.Denial(policy.Subject{Name: name, Exe: "/home/x/" + name}); (d != nil) != want {
			t.Errorf("%s: denied %v, want %v", name, d != nil, want)
		}
	}
	if set.Denial(policy.Subject{Name: "z", User: "u"}) == nil {
		t.Error("the rule with a typo no longer protects")
	}
	if set.Denial(policy.Subject{Name: "z", User: "v"}) != nil {
		t.Error("rules that never protected do")
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store, db := openStore(t, server.URI()), shell(t, server.URI())
	long := "a-long-name-of-a-program"
	insert(t, db.Collection(policy.KnownProcesses), seedShape("a"), seedShape("b"), seedShape(long), seedShape("a-long-name"))
	found := func(names []string, cut string) []string {
		entries, _, err := store.Lookup(t.Context(), names, cut)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range entries {
			all = append(all, e.Document.Name)
		}
		slices.Sort(all)
		return all
	}
	if got := found([]string{"a", "x"}, ""); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q", got)
	}
	if got := found([]string{"b"}, long[:15]); !slices.Equal(got, []string{long, "b"}) {
		t.Errorf("%q", got)
	}
}

func TestNoChangeStreamIsUnsupported(t *testing.T) {
	t.Parallel()
	store := openStore(t, startServer(t).URI())
	err := store.Watch(t.Context(), func() { t.Error("ready") }, func(mongostore.ID) {})
	if !mongostore.IsUnsupported(err) {
		t.Errorf("%v", err)
	}
	if mongostore.IsUnsupported(store.Ping(t.Context())) {
		t.Error("a ping that works is unsupported")
	}
}
