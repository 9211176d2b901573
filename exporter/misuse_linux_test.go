package main

import (
	"strings"
	"testing"
)

// There is no usual token file here.
func TestTokenFileMustBeNamed(t *testing.T) {
	var out, problems strings.Builder
	if status := run([]string{"token", "list"}, &out, &problems); status == exitOK || !strings.Contains(problems.String(), "--operator.token-file") {
		t.Errorf("exit status %d: %s", status, problems.String())
	}
}

// Windows has no procfs to be wrong about, and would serve.
func TestProcfsMustBeThere(t *testing.T) {
	var out, problems strings.Builder
	status := run([]string{"--path.procfs=/nonexistent", "--operator.off"}, &out, &problems)
	if status != exitMisused || !strings.Contains(problems.String(), "--path.procfs /nonexistent") {
		t.Errorf("exit status %d: %s", status, problems.String())
	}
}
