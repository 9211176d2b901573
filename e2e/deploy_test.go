//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// TestDeployConfiguration lets Prometheus' and Alertmanager's own tools check
// what the demo stack gives them.
func TestDeployConfiguration(t *testing.T) {
	rig.NeedPrograms(t, "prometheus", "promtool", "amtool")
	deploy := filepath.Join(programs.Source, "deploy")
	for _, command := range [][]string{
		{"promtool", "check", "config", filepath.Join(deploy, "prometheus", "prometheus.yml")},
		{"amtool", "check-config", filepath.Join(deploy, "alertmanager", "alertmanager.yml")},
	} {
		stdout, stderr, status := rig.Run(t, exec.Command(command[0], command[1:]...), 30*time.Second)
		if status != 0 {
			t.Errorf("%v: status %d\n%s%s", command, status, stdout, stderr)
		}
	}
}

// demoFlag is a flag of server-monitor in docker-compose.yml, with what a
// variable puts where it is set.
var demoFlag = regexp.MustCompile(`(?m)^ {6}- (--\S+=)(?:\$\{OPERATOR_TOKEN_FILE:([+-])(\S*)\}|(\S*))(?: #.*)?$`)

// demoFlags are the flags of server-monitor in the demo stack, with or without
// tokens, on ports and in a folder of the test.
func demoFlags(t *testing.T, tokens string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(programs.Source, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "entrypoint: [/server-monitor-host]")
	block, _, found := strings.Cut(rest, "    environment:")
	flags := []string{}
	for _, m := range demoFlag.FindAllStringSubmatch(block, -1) {
		name, value := m[1], m[4]
		switch {
		case m[2] == "-":
			value = tokens
		case m[2] == "+" && tokens != "":
			value = m[3]
		}
		switch {
		case strings.HasSuffix(name, "listen-address="):
			value = "127.0.0.1:0"
		case name == "--path.rootfs=":
			value = "/"
		case strings.HasPrefix(value, "/var/lib/server-monitor/"):
			value = filepath.Join(t.TempDir(), filepath.Base(value))
		}
		flags = append(flags, name+value)
	}
	if !found || len(flags) < 8 {
		t.Fatalf("docker-compose.yml gives server-monitor the flags %q", flags)
	}
	return flags
}

// TestDemoFlags checks that server-monitor starts with the flags of the demo
// stack, before there are tokens and after.
func TestDemoFlags(t *testing.T) {
	tokens := filepath.Join(t.TempDir(), "tokens.json")
	if _, errs, status := rig.Run(t, exec.Command(programs.Monitor, "token", "create",
		"--operator.token-file="+tokens, "--name=demo", "--role=operator"), time.Minute); status != 0 {
		t.Fatalf("token create: status %d: %s", status, errs)
	}
	for name, file := range map[string]string{"without tokens": "", "with tokens": tokens} {
		t.Run(name, func(t *testing.T) {
			monitor := rig.Start(t, exec.Command(programs.Monitor, demoFlags(t, file)...))
			monitor.AwaitOutput(t, 20*time.Second, `(?s)(msg="Listening on".*){3}`)
		})
	}
}
