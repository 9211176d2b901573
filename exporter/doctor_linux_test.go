package main

import (
	"strings"
	"testing"
)

// TestDoctorStrict has what only degrades: the character set of a terminal.
func TestDoctorStrict(t *testing.T) {
	locale := []string{"doctor", "--operator.off", "--web.listen-address=127.0.0.1:0", "--language=ko"}
	t.Setenv("LC_ALL", "C")
	out, _ := command(t, exitOK, locale...)
	if !strings.Contains(out, "🟡 language") {
		t.Errorf("no UTF-8, yet:\n%s", out)
	}
	command(t, exitFailed, append(locale, "--strict")...)
}
