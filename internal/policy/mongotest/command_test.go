package mongotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/policy/policycmd"
)

// TestCommands runs the commands one after the other, as an operator would.
func TestCommands(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store, db := openStore(t, server.URI()), shell(t, server.URI())
	var b bytes.Buffer
	plain, script := policycmd.Printer{W: &b}, policycmd.Printer{W: &b, JSON: true}
	run := func(want string, err error) string {
		t.Helper()
		got := b.String()
		b.Reset()
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("%v; %q is missing in\n%s", err, want, got)
		}
		return got
	}
	// A part of it, as FerretDB is slow under the race detector.
	catalogue := slices.DeleteFunc(policy.Catalogue(), func(d policy.Document) bool { return d.Platform != policy.Linux || d.Name[0] != 'n' })
	run("would be added", plain.Seed(t.Context(), store, catalogue, true))
	run("does not check the types", plain.Seed(t.Context(), store, catalogue, false))
	var seeded mongostore.Seeding
	if err := json.Unmarshal([]byte(run("unchanged", script.Seed(t.Context(), store, catalogue, false))), &seeded); err != nil || seeded.Unchanged != len(catalogue) || seeded.Added != 0 {
		t.Errorf("%+v, %v", seeded, err)
	}

	text, yes := func(s string) *string { return &s }, true
	run("made linux/job", plain.Set(t.Context(), store, "linux/Job", policycmd.Edit{Description: text("our job"), DescriptionKo: text("우리 작업"), Terminatable: &yes, AutoTerminate: &yes}))
	run("changed linux/nginx", plain.Set(t.Context(), store, "linux/nginx", policycmd.Edit{Reason: text("the shop runs on it")}))
	run("note: the embedded catalogue protects linux/nginx", plain.Set(t.Context(), store, "linux/nginx", policycmd.Edit{Terminatable: &yes}))
	run("1 edited since", plain.Seed(t.Context(), store, catalogue, false))

	set, err := policycmd.Load(t.Context(), policy.Linux, store)
	if err != nil {
		t.Fatal(err)
	}
	run("the shop runs on it", plain.Show(set, "nginx"))
	run("job", plain.List(set, policycmd.Filter{Name: "job"}))

	exported := run(`"our job"`, plain.Export(t.Context(), store))
	file := func() []policycmd.File {
		return []policycmd.File{{Name: "x.json", Reader: strings.NewReader(exported)}}
	}
	if err := db.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	run("nothing was written", plain.Import(t.Context(), store, file(), policy.KnownProcesses, true))
	run(" added, 0 changed, 0 unchanged", plain.Import(t.Context(), store, file(), policy.KnownProcesses, false))
	run("0 added, 0 changed", plain.Import(t.Context(), store, file(), policy.KnownProcesses, false))
	if again := run("", plain.Export(t.Context(), store)); again != exported {
		t.Error("export and import do not round-trip")
	}

	run("0 malformed", plain.ValidateStore(t.Context(), store))
	insert(t, db.Collection(policy.KnownProcesses), bson.D{{Key: "_id", Value: "odd"}, {Key: "name", Value: "q"}, {Key: "platform", Value: "linux"}})
	insert(t, db.Collection(policy.ProcessRules), bson.D{{Key: "_id", Value: "rule1"}, {Key: "enabled", Value: "yes"}})
	if err := plain.ValidateStore(t.Context(), store); !errors.Is(err, policycmd.ErrProblems) {
		t.Errorf("%v", err)
	}
	run("server_monitor: process_rules rule1: malformed: rule rule1: enabled: is of type string: want a bool", nil)
	run("deleted 1", plain.Delete(t.Context(), store, "known_processes:odd"))
	run("deleted 1", plain.Delete(t.Context(), store, "process_rules:rule1"))
	run("deleted 1", plain.Delete(t.Context(), store, "linux/job"))
	if err := plain.Delete(t.Context(), store, "linux/job"); !errors.Is(err, policycmd.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
