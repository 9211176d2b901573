//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// logIn lets a user of the server log in over ssh and stay, so that there is
// what comes with a session: a shell on a terminal, "systemd --user".
func (s *server) logIn(t *testing.T) {
	t.Helper()
	s.runInSession(t, "sleep 1001; :", "^sleep 1001")
}

// runInSession lets a new user log in over ssh and run commands of the shell,
// and waits until a command line fits a pattern.
func (s *server) runInSession(t *testing.T, commands, pattern string) {
	t.Helper()
	s.Run(t, "useradd", "--create-home", "--shell=/bin/bash", "anna")
	s.Run(t, "sh", "-c", `ssh-keygen -q -t ed25519 -N "" -f /root/key && install -d -o anna -g anna -m 700 /home/anna/.ssh &&
		install -o anna -g anna -m 600 /root/key.pub /home/anna/.ssh/authorized_keys`)
	s.Start(t, "e2e-login", nil, "ssh", "-tt", "-i", "/root/key", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
		"anna@127.0.0.1", "bash", "--login", "-c", `"`+commands+`"`)
	rig.Eventually(t, 20*time.Second, func() error {
		if err := s.Command("pgrep", "--full", pattern).Run(); err != nil {
			return fmt.Errorf("no session of anna: %w\n%s", err, s.Journal(t, "e2e-login.service"))
		}
		return nil
	})
}

// testVerdicts checks that a stock server is all right: nothing on it is red,
// and all of it is known.
func (s *server) testVerdicts(t *testing.T) {
	s.logIn(t)
	r := s.report(t)
	var names []string
	for i := range r.Processes {
		p := &r.Processes[i]
		names = append(names, p.Name)
		if strings.HasPrefix(p.Unit, "e2e-") || p.Name == "systemd-run" {
			continue // our own doing
		}
		switch {
		case p.Verdict == "danger":
			t.Errorf("benign, yet called dangerous: %s", p)
		case p.Verdict != "safe":
			t.Errorf("stock, yet not safe: %s", p)
		case len(p.Unseen) > 0:
			t.Errorf("%v not seen: %s", p.Unseen, p)
		case p.Role == "" || p.Summary == "":
			t.Errorf("not explained: %s", p)
		default:
			t.Log(p)
		}
	}
	for _, name := range []string{"systemd", "systemd-journald", "systemd-logind", "dbus-daemon", "sshd", "nginx", "rsyslogd",
		"cron", "postgres", "redis-", "server-monitor", "bash", "sleep"} {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, name) }) {
			t.Errorf("%s is not in the report", name)
		}
	}
}
