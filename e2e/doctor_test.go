//go:build e2e

package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	mongooptions "go.mongodb.org/mongo-driver/v2/mongo/options"

	"server-monitor/e2e/rig"
)

// doctor asks doctor about a database, and returns what it finds of policy by
// the name of the check: status and text.
func doctor(t *testing.T, uri string, wantStatus int) map[string]string {
	t.Helper()
	stdout, stderr, status := rig.Run(t, exec.Command(programs.Monitor, "doctor", "-o", "json", "--operator.off",
		"--web.listen-address=127.0.0.1:0", "--policy.mongodb-uri="+uri, "--policy.copy-file="+t.TempDir()+"/copy"), time.Minute)
	var report struct {
		Checks []struct{ Check, Status, Found string }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || status != wantStatus {
		t.Fatalf("exit status %d, want %d: %v\n%s%s", status, wantStatus, err, stdout, stderr)
	}
	found := make(map[string]string)
	for _, c := range report.Checks {
		found[c.Check] = c.Status + " " + c.Found
	}
	return found
}

// TestDoctorOfPolicy has a database that is empty, seeded, and broken by
// somebody.
func TestDoctorOfPolicy(t *testing.T) {
	uri := programs.StartFerretDB(t)
	check := func(found map[string]string, want map[string]string) {
		t.Helper()
		for name, begin := range want {
			if !strings.HasPrefix(found[name], begin) {
				t.Errorf("%s: %q, want %q", name, found[name], begin)
			}
		}
	}
	check(doctor(t, uri, 0), map[string]string{
		"policy.store": "ok ", "policy.seeded": "degraded 1", "policy.index": "degraded ", "policy.documents": "ok ", "policy.copy": "ok ",
	})
	seed := exec.Command(programs.Monitor, "policy", "seed", "--policy.mongodb-uri="+uri)
	if stdout, stderr, status := rig.Run(t, seed, 2*time.Minute); status != 0 {
		t.Fatalf("seed: exit status %d\n%s%s", status, stdout, stderr)
	}
	check(doctor(t, uri, 0), map[string]string{"policy.store": "ok ", "policy.seeded": "ok ", "policy.index": "ok ", "policy.documents": "ok "})

	client, err := mongo.Connect(mongooptions.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(t.Context())
	wrong := bson.M{"name": "acme", "platform": "linux", "policy": bson.M{"terminatable": "yes"}}
	if _, err := client.Database("server_monitor").Collection("known_processes").InsertOne(t.Context(), wrong); err != nil {
		t.Fatal(err)
	}
	check(doctor(t, uri, 1), map[string]string{
		"policy.seeded": "ok ", "policy.documents": "failed 1 malformed documents count as protecting their names: linux/acme",
	})
}
