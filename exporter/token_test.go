package main

import (
	"path/filepath"
	"testing"
)

// TestTokenThatWouldNeverEnd: a life of nothing is a mistake, not for ever.
func TestTokenThatWouldNeverEnd(t *testing.T) {
	file := "--operator.token-file=" + filepath.Join(t.TempDir(), "tokens.json")
	for _, life := range []string{"0s", "0", "-1h", "", "never"} {
		command(t, exitMisused, "token", "create", file, "--name=x", "--role=viewer", "--expires="+life)
	}
	command(t, exitOK, "token", "create", file, "--name=x", "--role=viewer", "--expires=1h")
	command(t, exitOK, "token", "create", file, "--name=y", "--role=viewer")
}
