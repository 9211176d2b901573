//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// golden is the list of all metrics: name, type, labels.
var golden = filepath.Join("testdata", "metrics.golden")

// testGolden compares all metrics of a scrape with the golden file, which "make
// generate" writes anew, and with the reference.
func (s *server) testGolden(t *testing.T) {
	s.StartSample(t, "e2e-masked", nil, "/opt/e2e/sample", "rename", "kworker/0:1") // bears warnings
	text, reference := readReference(t)
	lines := withConditional(s.scrape(t).Signatures("server_monitor_"), reference)
	inTables := slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		name, _, _ := strings.Cut(line, " ")
		return inProse.MatchString(name) && strings.Contains(text, "`"+name+"`")
	})
	if err := compareLines("the scrape", inTables, "docs/metrics.md", reference); err != nil {
		t.Error(err)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(file)), "\n")
	if err := compareLines("the scrape", lines, golden, want); err != nil {
		t.Errorf("%v\nWhere that is meant, run \"make generate\".", err)
	}
}

// inProse are the metrics that the reference tells of outside of its tables, as
// they are not made by a collector's definitions.
var inProse = regexp.MustCompile(`^server_monitor_exporter_build_info$`)

// conditional are the metrics that are absent on Linux or where no flag names
// services, where the kernel lacks PSI, where
// systemd has no controller for memory and tasks at hand, where no database is
// configured, where no document lets automation end a process, and before the
// first termination.
var conditional = regexp.MustCompile(`^server_monitor_(pressure_\w+_total|service_(expected|info|memory_bytes|tasks)` +
	`|policy_(store_up|documents|invalid_documents|last_success_timestamp_seconds|refresh_failures_total)` +
	`|process_auto_terminate|termination_duration_seconds) `)

// withConditional completes a scrape with what this machine may lack, so that
// the list is the same on every machine.
func withConditional(lines, reference []string) []string {
	for _, line := range reference {
		name, _, _ := strings.Cut(line, " ")
		has := slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+" ") })
		if !has && conditional.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return sorted(lines)
}

var referenceRow = regexp.MustCompile("(?m)^\\| `(server_monitor_\\w+)` \\| (\\w+) \\| (.*?) \\|")

// readReference reads docs/metrics.md and lists the metrics of its tables: name,
// type, labels.
func readReference(t *testing.T) (page string, lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(programs.Source, "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range referenceRow.FindAllStringSubmatch(string(text), -1) {
		var labels []string
		if row[3] != "" {
			labels = strings.Split(strings.ReplaceAll(row[3], "`", ""), ", ")
		}
		lines = append(lines, strings.TrimSpace(row[1]+" "+row[2]+" "+strings.Join(sorted(labels), ",")))
	}
	if len(lines) == 0 {
		t.Fatal("docs/metrics.md has no rows")
	}
	return string(text), sorted(lines)
}
