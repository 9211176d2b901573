package refresh

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
)

const manyDocuments = 50_000

// benchStore is a server that answers at once: what is measured is our part.
type benchStore struct {
	fakeStore
	raw []bson.Raw
}

func newBenchStore() *benchStore {
	store := &benchStore{fakeStore: *newFake()}
	for i := range manyDocuments {
		store.put(fmt.Sprint("customer-program-", i), 1, false)
	}
	for _, d := range store.documents {
		store.raw = append(store.raw, raw(append(d, bson.E{Key: "paths", Value: bson.A{"/opt/**", "/usr/bin/*"}})))
	}
	store.documents = nil
	return store
}

func (s *benchStore) All(context.Context) ([]mongostore.Entry, error) {
	all := make([]mongostore.Entry, len(s.raw))
	for i := range s.raw {
		all[i] = mongostore.Decode(s.raw[i])
	}
	return all, nil
}

// BenchmarkFirstRefresh reads 50,000 documents and prints what stays in memory.
func BenchmarkFirstRefresh(b *testing.B) {
	store := newBenchStore()
	b.ReportAllocs()
	var held float64
	for b.Loop() {
		b.StopTimer()
		before := heapInUse()
		b.StartTimer()
		r := New(Config{Platform: policy.Linux, Store: store, Logger: slog.New(slog.DiscardHandler)})
		if err := r.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		held = float64(heapInUse()-before) / (1 << 20)
		runtime.KeepAlive(r)
		b.StartTimer()
	}
	b.ReportMetric(held, "held-MiB")
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkSaveCopy writes the copy of 50,000 documents.
func BenchmarkSaveCopy(b *testing.B) {
	entries, err := newBenchStore().All(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	contents := mongostore.Contents(entries, nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := writeCopy(io.Discard, &contents, "s"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConsult looks one process up among 50,000 documents.
func BenchmarkConsult(b *testing.B) {
	store := newBenchStore()
	r := New(Config{Platform: policy.Linux, Store: store, Logger: slog.New(slog.DiscardHandler)})
	if err := r.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	p := policy.Subject{Name: "customer-program-7", Exe: "/opt/x", Comm: "x"}
	b.ReportAllocs()
	for b.Loop() {
		r.Consult(b.Context(), p)
	}
}
