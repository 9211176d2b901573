//go:build !windows

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
