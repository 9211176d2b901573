package mongotest

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/policy/refresh"
)

const manyDocuments = 50_000

// fill writes many documents.
func fill(b *testing.B, uri string) {
	known := shell(b, uri).Collection(policy.KnownProcesses)
	for start := 0; start < manyDocuments; start += 5000 {
		var documents []any
		for i := range 5000 {
			documents = append(documents, seedShape(fmt.Sprint("customer-program-", start+i), bson.E{Key: "paths", Value: bson.A{"/opt/**", "/usr/bin/*"}}))
		}
		insert(b, known, documents...)
	}
}

// heap is the memory in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkFiftyThousand prints what 50,000 documents cost a server-monitor: the
// first refresh, one that finds nothing new, and what is held in memory. Most of
// the time is FerretDB's, which is in the same process;
// BenchmarkDecode is our part of it.
func BenchmarkFiftyThousand(b *testing.B) {
	server := startServer(b)
	fill(b, server.URI())
	store := openStore(b, server.URI())
	r := refresh.New(refresh.Config{Platform: policy.Linux, Store: store, Logger: slog.New(slog.DiscardHandler)})
	before := heap()
	start := time.Now()
	if err := r.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	first := time.Since(start)
	held := heap() - before
	if n := r.Status().Documents[policy.MongoDB]; n != manyDocuments {
		b.Fatalf("%d documents", n)
	}
	var idle time.Duration
	for b.Loop() {
		start := time.Now()
		if err := r.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
		idle = time.Since(start)
	}
	b.ReportMetric(first.Seconds(), "first-s")
	b.ReportMetric(idle.Seconds(), "idle-s")
	b.ReportMetric(float64(held)/(1<<20), "held-MiB")
	runtime.KeepAlive(r)
}

// BenchmarkDecode is our part of reading: one document from BSON.
func BenchmarkDecode(b *testing.B) {
	raw, err := bson.Marshal(seedShape("zz", bson.E{Key: "paths", Value: bson.A{"/opt/**", "/usr/bin/*"}}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		mongostore.Decode(raw)
	}
}
