//go:build e2e

package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// ferretLimit is how long FerretDB may take to start on a machine that is busy.
const ferretLimit = time.Minute

// StartFerretDB builds the FerretDB of the tests of policy, which speaks
// MongoDB's protocol, starts it and returns its connection string.
func (r *Rig) StartFerretDB(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(r.Dir, "ferretdb")
	if _, err := os.Stat(binary); err != nil {
		build := exec.Command("go", "build", "-trimpath", "-o", binary, "./cmd/ferretdb")
		build.Dir = filepath.Join(r.Source, "internal", "policy", "mongotest")
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build FerretDB: %v\n%s", err, output)
		}
	}
	database := Start(t, exec.Command(binary, "-listen=127.0.0.1:0", "-data="+t.TempDir()))
	return database.AwaitOutput(t, ferretLimit, `(?m)^(mongodb://\S+)$`)[1]
}
