package logtail

import "testing"

func TestLevelOf(t *testing.T) {
	for text, want := range map[string]Level{
		"":                                    Info,
		"Started nginx.service":               Info,
		"Failed to start nginx.service":       Error,
		"connect() failed (111: refused)":     Error,
		"sshd: error: PAM: failure":           Error,
		"kernel panic":                        Error,
		"disk errata":                         Info,
		"WARNING: low space":                  Warning,
		"level=warn msg=\"no error at all\"":  Warning,
		"level=info msg=\"error budget\"":     Info,
		`{"level":"error","msg":"x"}`:         Error,
		`{"severity":"DEBUG"}`:                Debug,
		"time=now level=ERROR msg=x":          Error,
		"debug: x":                            Debug,
		"Permission denied":                   Error,
		"level=emergency":                     Error,
		"Accepted publickey for eve from ::1": Info,
	} {
		if got := levelOf(text); got != want {
			t.Errorf("levelOf(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestLevelOfPriority(t *testing.T) {
	want := []Level{Error, Error, Error, Error, Warning, Info, Info, Debug}
	for priority, level := range want {
		if got := levelOfPriority(priority); got != level {
			t.Errorf("priority %d is %q, want %q", priority, got, level)
		}
	}
}
