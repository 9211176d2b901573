package main

import (
	"encoding/json"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestDoctor runs the command with flags of serve, and looks at exit statuses.
func TestDoctor(t *testing.T) {
	free := []string{"doctor", "--web.listen-address=127.0.0.1:0", "--operator.listen-address=127.0.0.1:0", "--no-operator.journal"}
	tokens := filepath.Join(t.TempDir(), "tokens")
	command(t, exitOK, "token", "create", "--operator.token-file="+tokens, "--name=ann", "--role=operator")
	out, _ := command(t, exitOK, append(free, "--operator.token-file="+tokens)...)
	for _, want := range []string{"listener.web", "listener.operator", "tokens", "holds 1 tokens", "policy.store"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing is said of %s:\n%s", want, out)
		}
	}
	if strings.Contains(out, "journal") {
		t.Errorf("the journal is off:\n%s", out)
	}

	out, _ = command(t, exitFailed, append(free, "--operator.token-file="+tokens+".absent", "-o", "json", "--language=ko")...)
	var report struct {
		Status string
		Checks []struct{ Check, Status, Found, Remedy string }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Status != "failed" {
		t.Fatalf("%v, %+v", err, report)
	}
	for _, c := range report.Checks {
		if c.Check == "tokens" && (c.Status != "failed" || !strings.Contains(c.Remedy, "token create") || !strings.Contains(c.Found, "토큰")) {
			t.Errorf("%+v", c)
		}
	}

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	out, _ = command(t, exitFailed, "doctor", "--operator.off", "--web.listen-address="+taken.Addr().String())
	if !strings.Contains(out, "🔴 listener.web") {
		t.Errorf("a port of another program:\n%s", out)
	}
	command(t, exitMisused, "doctor", "--output=xml")
	command(t, exitMisused, "doctor", "--web.telemetry-path=x")
}

// TestDoctorStore has a database that is away.
func TestDoctorStore(t *testing.T) {
	out, _ := command(t, exitFailed, "doctor", "--operator.off", "--web.listen-address=127.0.0.1:0",
		"--policy.mongodb-uri=mongodb://ann:hunter2@127.0.0.1:1/?timeoutMS=100")
	if !strings.Contains(out, "🔴 policy.store") || !strings.Contains(out, "🟡 policy.copy") || strings.Contains(out, "hunter2") {
		t.Errorf("a database that is away:\n%s", out)
	}
}
