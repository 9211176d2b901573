package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// command runs a command line and wants a status.
func command(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	t.Setenv(uriVariable, "")
	var out, err bytes.Buffer
	if got := run(args, &out, &err); got != status {
		t.Errorf("%v: exit status %d, want %d: %s", args, got, status, err.String())
	}
	return out.String(), err.String()
}

func TestPolicyViews(t *testing.T) {
	if out, _ := command(t, exitOK, "policy", "list", "--name=sshd"); !strings.Contains(out, "linux") || strings.Contains(out, "nginx") {
		t.Errorf("list:\n%s", out)
	}
	if out, _ := command(t, exitOK, "policy", "list", "--platform=windows", "--name=svchost", "-o", "json"); !strings.Contains(out, `"svchost.exe"`) {
		t.Errorf("list:\n%s", out)
	}
	if out, _ := command(t, exitOK, "policy", "show", "linux/nginx"); !strings.Contains(out, "linux/nginx (catalogue)") {
		t.Errorf("show:\n%s", out)
	}
	if out, _ := command(t, exitOK, "policy", "check", strconv.Itoa(os.Getpid())); !strings.Contains(out, "catalogue, version") {
		t.Errorf("check:\n%s", out)
	}
	command(t, exitFailed, "policy", "show", "linux/no-such-program")
	command(t, exitFailed, "policy", "check", "2147483647")
	command(t, exitMisused, "policy", "list", "--platform=beos")
	command(t, exitMisused, "policy", "list", "--source=hearsay")
}

func TestPolicyNeedsADatabase(t *testing.T) {
	for _, args := range [][]string{
		{"policy", "seed"}, {"policy", "export"}, {"policy", "delete", "linux/nginx"},
		{"policy", "set", "linux/nginx", "--terminatable=no"}, {"policy", "validate"},
	} {
		if _, complaint := command(t, exitFailed, args...); !strings.Contains(complaint, "no database is configured") {
			t.Errorf("%v: %s", args, complaint)
		}
	}
}

func TestPolicyValidateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`[{"name":"acme","platform":"linux","category":"monitoring","description":"Watches Acme",
		"description_i18n":{"en":"Watches Acme","ko":"Acme 감시"},"policy":{"is_system":false,"terminatable":true,"reason":""}}]`)
	command(t, exitOK, "policy", "validate", file)
	write(`[{"name":"Acme","platform":"amiga","policy":{"is_system":1,"terminatable":true}}]`)
	out, complaint := command(t, exitFailed, "policy", "validate", file)
	for _, want := range []string{file, "amiga/Acme", "is_system"} {
		if !strings.Contains(out+complaint, want) {
			t.Errorf("nothing is said of %s:\n%s%s", want, out, complaint)
		}
	}
	command(t, exitFailed, "policy", "validate", file+".absent")
}

// TestConnectionStringStaysSecret has a password in every place that it can be.
func TestConnectionStringStaysSecret(t *testing.T) {
	uri := "mongodb://user:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=50"
	file := filepath.Join(t.TempDir(), "uri")
	if err := os.WriteFile(file, []byte(uri+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, status := range map[string]int{
		"--policy.mongodb-uri-file=" + file:                                    exitFailed,
		"--policy.mongodb-uri=" + uri:                                          exitFailed,
		"--policy.mongodb-uri=" + uri + "&tls=perhaps":                         exitMisused,
		"--policy.mongodb-uri=" + strings.Replace(uri, "mongodb:", "http:", 1): exitMisused,
	} {
		out, complaint := command(t, status, "policy", "export", flag)
		if strings.Contains(out+complaint, "hunter2") || complaint == "" {
			t.Errorf("%s: %s%s", flag, out, complaint)
		}
	}
	command(t, exitMisused, "policy", "export", "--policy.mongodb-uri=mongodb://x", "--policy.mongodb-uri-file="+file)
	command(t, exitMisused, "policy", "export", "--policy.mongodb-uri-file="+file+".absent")
	command(t, exitMisused, "--policy.required")
	command(t, exitMisused, "--policy.refresh-interval=1ms")
}

func TestTokenCommands(t *testing.T) {
	file := "--operator.token-file=" + filepath.Join(t.TempDir(), "new", "tokens.json")
	secret, _ := command(t, exitOK, "token", "create", file, "--name=alertmanager", "--role=automation", "--expires=720h")
	if !strings.HasPrefix(secret, "smk_") || strings.Count(secret, "\n") != 1 {
		t.Errorf("create prints %q", secret)
	}
	list, _ := command(t, exitOK, "token", "list", file)
	id := strings.Split(secret, "_")[1]
	if !strings.Contains(list, id) || !strings.Contains(list, "automation") || strings.Contains(list, strings.TrimSpace(secret)) {
		t.Errorf("list:\n%s", list)
	}
	command(t, exitOK, "token", "revoke", file, id)
	command(t, exitFailed, "token", "revoke", file, id)
	command(t, exitMisused, "token", "create", file, "--name=x", "--role=king")
}
