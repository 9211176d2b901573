//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// readmes are the pages whose commands and names are tested.
var readmes = []string{"README.md", "README.ko.md"}

// commandLimit is how long a command of a README may take; one compiles.
const commandLimit = 5 * time.Minute

// testedBlock is a block of commands that a README marks for testing. Those of
// a block marked "running" expect an exporter on its usual ports.
var testedBlock = regexp.MustCompile("(?s)<!-- test(: running)? -->\n```console\n(.*?)```")

// runCommands runs a program, if any, and then commands, in a network and a
// process table of their own, so that the usual ports are free.
const runCommands = `
set -eu
ip link set lo up
if [ "$1" = running ]; then
	"$2" >/dev/null 2>&1 &
	for i in $(seq 100); do
		if curl -fs localhost:10042/-/ready >/dev/null; then break; fi
		sleep 0.1
	done
fi
sh -c "$3"
`

// TestReadmeCommands runs the commands that the READMEs show. Each must succeed
// and print something.
func TestReadmeCommands(t *testing.T) {
	rig.NeedRoot(t)
	rig.NeedPrograms(t, "README", "make", "curl", "unshare", "ip")
	for _, name := range readmes {
		blocks := testedBlock.FindAllStringSubmatch(readPage(t, name), -1)
		if len(blocks) < 3 {
			t.Errorf("%s has %d tested blocks, want 3 or more", name, len(blocks))
		}
		for _, block := range blocks {
			mode := "alone"
			if block[1] != "" {
				mode = "running"
			}
			for line := range strings.Lines(block[2]) {
				command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
				if !ok {
					t.Errorf("%s: %q is no command", name, line)
					continue
				}
				t.Run(name+"/"+command, func(t *testing.T) { runShown(t, mode, command) })
			}
		}
	}
}

func runShown(t *testing.T, mode, command string) {
	t.Helper()
	cmd := exec.Command("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-c", runCommands, "README", mode, programs.Monitor, command)
	cmd.Dir = programs.Source
	stdout, stderr, status := rig.Run(t, cmd, commandLimit)
	quiet := strings.Contains(command, ">/dev/null")
	if status != 0 || !quiet && strings.TrimSpace(stdout) == "" {
		t.Errorf("exit status %d, printed %q: %s", status, stdout, stderr)
	}
}

// TestReadmeNames checks that the flags and metrics that the READMEs name
// exist, and that both pages name the same.
func TestReadmeNames(t *testing.T) {
	help, _, _ := run(t, "--help-long")
	metrics := readPage(t, filepath.Join("docs", "metrics.md"))
	known := func(name string) bool {
		if flag, ok := strings.CutPrefix(name, "--"); ok {
			return strings.Contains(help, "--"+flag) || strings.Contains(help, "--[no-]"+flag)
		}
		return strings.Contains(metrics, "`"+name+"`")
	}
	var pages [][]string
	for _, page := range readmes {
		names := namesIn(readPage(t, page))
		for _, name := range names {
			if !known(name) {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
		pages = append(pages, names)
	}
	if !slices.Equal(pages[0], pages[1]) {
		t.Errorf("the names in %v differ:\n%s\n%s", readmes, pages[0], pages[1])
	}
}

var namePattern = regexp.MustCompile(`--[a-z]+\.[a-z-]+(\.[a-z-]+)?|server_monitor_[a-z_0-9]+`)

// namesIn lists the dotted flags and the metrics that a text names, each once.
func namesIn(text string) []string {
	return slices.Compact(slices.Sorted(slices.Values(namePattern.FindAllString(text, -1))))
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(programs.Source, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
