package main

import (
	"slices"
	"strings"
	"testing"
)

func TestCompletedCommands(t *testing.T) {
	for _, args := range [][]string{{"--completion-bash"}, {"--completion-bash", ""}, {"--completion-bash", "po"}} {
		out, _ := command(t, exitOK, args...)
		for _, name := range []string{"serve", "scan", "token", "policy", "doctor"} {
			if !slices.Contains(strings.Fields(out), name) {
				t.Errorf("%q: no %s in %q", args, name, out)
			}
		}
	}
	for _, args := range [][]string{nil, {"scan"}, {"--completion-bash", "--lang"}, {"--completion-bash", "policy", ""}} {
		app, _ := newApp(t.Output(), t.Output())
		if names, ok := completedCommands(app, args); ok {
			t.Errorf("%q: %q", args, names)
		}
	}
}
