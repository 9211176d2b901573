//go:build e2e

package rig

import (
	"path/filepath"
	"sync"
	"testing"
)

// databaseModule is where the command of a database that speaks MongoDB's wire
// protocol is: in a module of its own, below the root of the repository.
var databaseModule = filepath.Join("internal", "policy", "mongotest")

// database is built once, as it is large.
var database struct {
	sync.Once
	err error
}

// Database is the program FerretDB, which is built where a test first needs it.
// "-listen 127.0.0.1:27017 -data FOLDER" runs it.
func (r *Rig) Database(t testing.TB) string {
	t.Helper()
	path := filepath.Join(r.Dir, "ferretdb")
	database.Do(func() { database.err = r.buildIn(databaseModule, path, "./cmd/ferretdb") })
	if database.err != nil {
		t.Fatal(database.err)
	}
	return path
}
