package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// parse reads a command line as main does.
func parse(t *testing.T, args ...string) (*config, string, error) {
	t.Helper()
	var out bytes.Buffer
	app, c := newApp(&out, &out)
	app.Terminate(func(int) {})
	command, err := app.Parse(args)
	if err == nil {
		err = c.check(command)
	}
	return c, command, err
}

func TestDefaults(t *testing.T) {
	c, command, err := parse(t)
	if err != nil || command != serveCommand {
		t.Fatalf("command %q, %v", command, err)
	}
	if c.paths.Proc != filepath.FromSlash("/proc") || c.criteria.HighMemoryRatio != 0.2 || c.language != "en" || c.maxProcs != 1 {
		t.Errorf("defaults %+v", c)
	}
	if got := *c.serve.web.WebListenAddresses; !slices.Equal(got, []string{":10042"}) {
		t.Errorf("addresses %v", got)
	}
	if len(c.serve.collectors()) != len(collectorHelp) {
		t.Errorf("collectors %v", c.serve.collectors())
	}
}

func TestFlagsOfServeNeedNoCommand(t *testing.T) {
	c, command, err := parse(t, "--web.listen-address=127.0.0.1:1", "--web.listen-address=[::1]:2", "--no-collector.load",
		"--path.procfs=/host/proc/", "--risk.allowed-path=/srv", "--risk.allowed-path=D:\\tools", "--language=ko")
	if err != nil || command != serveCommand {
		t.Fatalf("command %q, %v", command, err)
	}
	if got := *c.serve.web.WebListenAddresses; len(got) != 2 {
		t.Errorf("addresses %v", got)
	}
	if c.serve.collectors()["load"] || !c.serve.collectors()["cpu"] {
		t.Errorf("collectors %v", c.serve.collectors())
	}
	if c.paths.Proc != filepath.FromSlash("/host/proc") || !slices.Equal(c.criteria.AllowedPaths, []string{"/srv", "D:\\tools"}) || c.language != "ko" {
		t.Errorf("config %+v", c)
	}
}

func TestDisableDefaults(t *testing.T) {
	c, _, err := parse(t, "--collector.disable-defaults", "--collector.process")
	if err != nil {
		t.Fatal(err)
	}
	if on := c.serve.collectors(); len(on) != 1 || !on["process"] {
		t.Errorf("collectors %v", on)
	}
	if _, _, err := parse(t, "--collector.disable-defaults"); err == nil {
		t.Error("no collector is left, and nothing is said")
	}
}

// TestAllProblemsAtOnce gives a command line on which much is wrong.
func TestAllProblemsAtOnce(t *testing.T) {
	wrong := []string{
		"--language=fr", "--risk.high-memory-ratio=1.5", "--risk.allowed-path=tools", "--log.level=loud", "--log.format=xml",
		"--runtime.gomaxprocs=0", "--web.max-requests=-1", "--web.timeout-offset=fast", "--web.telemetry-path=metrics",
		"--collector.filesystem.fs-types-exclude=(", "--collector.service.unit-include=(", "--collector.service.name=a/b",
		"--collector.process.memory-threshold=NaN", "--collector.process.max-pids=many", "--collector.filesystem.mount-timeout=-1s",
		"--web.config.file=/nonexistent.yml", "--path.procfs=",
	}
	var stdout, stderr bytes.Buffer
	if status := run(wrong, &stdout, &stderr); status != exitMisused {
		t.Errorf("exit status %d", status)
	}
	for _, argument := range wrong {
		name, _, _ := strings.Cut(argument, "=")
		if !strings.Contains(stderr.String(), name) {
			t.Errorf("nothing is said of %s in\n%s", name, stderr.String())
		}
	}
}

func TestMisuse(t *testing.T) {
	for _, args := range [][]string{
		{"--nonsense"}, {"nonsense"}, {"scan", "--output=yaml"}, {"scan", "--verdict=evil"}, {"scan", "--fail-on=safe"},
		{"scan", "--color=blue"}, {"--web.telemetry-path=/"}, {"--web.telemetry-path=/-/healthy"}, {"--web.telemetry-path=/{x"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(args, &stdout, &stderr); status != exitMisused {
			t.Errorf("%v: exit status %d, want %d", args, status, exitMisused)
		}
		if stderr.Len() == 0 {
			t.Errorf("%v: nothing is said", args)
		}
	}
}

// What is wrong with a value is told beside the name of its flag.
func TestMisuseNamed(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--web.listen-address=foo"}, `--web.listen-address: "foo" is not host:port`},
		{[]string{"--policy.mongodb-uri=foo"}, "connection string"},
		{[]string{"--operator.token-file=/nonexistent/x", "--web.listen-address=127.0.0.1:0", "--operator.listen-address=127.0.0.1:0"}, "--operator.token-file: "},
		{[]string{"--audit.file=/nonexistent/x"}, "--audit.file needs --operator.token-file"},
		{[]string{"--terminate.auto=enforce"}, "--terminate.auto=enforce needs --operator.token-file"},
		{[]string{"policy", "check", "abc"}, `pid: "abc" is not a whole number`},
		{[]string{"policy", "set", "linux/x", "--terminatable=maybe"}, `--terminatable: "maybe" is not yes or no`},
		{[]string{"scan", "--fail-on=safe"}, `--fail-on: "safe" is not one of none, caution, danger`},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(c.args, &stdout, &stderr); status != exitMisused || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit status %d, want %d and %q; said %s", c.args, status, exitMisused, c.want, stderr.String())
		}
	}
}

// A web configuration for metrics that has basic authentication cannot be that
// of the operator listener, which takes tokens by the same header.
func TestOperatorWebConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	hash := "$2a$04$PNuh9WiFyT9WcLGeUm6QpuQcvRlJ2D8b8MtRZtzzmGq/PkS4pRQT6"
	if err := os.WriteFile(file, []byte("basic_auth_users: {prometheus: "+hash+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := parse(t, "--web.config.file="+file)
	if err != nil || c.serve.operator.webConfigFile != "" || !c.serve.operator.plain {
		t.Errorf("%v, %+v", err, c.serve.operator)
	}
	if _, _, err := parse(t, "--web.config.file="+file, "--operator.listen-address=0.0.0.0:1"); !errors.Is(err, errInTheClear) {
		t.Errorf("beyond loopback: %v", err)
	}
	if _, _, err := parse(t, "--operator.config.file="+file); err == nil || !strings.Contains(err.Error(), "--operator.config.file: basic_auth_users") {
		t.Errorf("its own: %v", err)
	}
	_, _, err = parse(t, "--web.config.file=/nonexistent")
	if err == nil || strings.Count(err.Error(), "\n") != 0 || !strings.Contains(err.Error(), "--web.config.file") {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, flag := range []string{"--help", "--version"} {
		var stdout, stderr bytes.Buffer
		if status := run([]string{flag}, &stdout, &stderr); status != exitOK {
			t.Errorf("%s: exit status %d", flag, status)
		}
		if !strings.Contains(stdout.String()+stderr.String(), "server-monitor") {
			t.Errorf("%s says %q and %q", flag, stdout.String(), stderr.String())
		}
	}
}
