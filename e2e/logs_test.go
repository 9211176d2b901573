//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// logLines are what programs write to files, and how severe it then is.
var logLines = map[string]string{
	"2026-11-24 shop[7]: Emergency stop":                     "critical",
	"2026-11-24 shop[7]: FATAL: out of shelves":              "critical",
	"2026/11/24 [error] 7#7: *1 upstream timed out":          "error",
	"time=now level=WARN msg=\"slow\" error=none":            "warning",
	"2026-11-24 shop[7]: NOTICE  opened":                     "info",
	"time=now level=debug msg=\"counted\"":                   "debug",
	"10.0.0.7 - - \"GET /informer HTTP/1.1\" 200 7":          "unknown",
	"bytes of strangers: \x1b[31m \xff\xfe {{.level}} \x00.": "unknown",
}

// journalEntries are of a journal, in the format of systemd-journal-remote:
// what they say, of which unit they then are, and how severe.
var journalEntries = []struct{ fields, message, unit, level string }{
	{"PRIORITY=0\n_SYSTEMD_UNIT=shop.service", "the shop burns", "shop.service", "critical"},
	{"PRIORITY=3\n_SYSTEMD_UNIT=shop.service\nSYSLOG_IDENTIFIER=other", "the shop leaks", "shop.service", "error"},
	{"PRIORITY=5\nSYSLOG_IDENTIFIER=kernel", "the kernel speaks", "kernel", "info"},
	{"PRIORITY=7\n_SYSTEMD_UNIT=shop.service\n_PID=77\n_COMM=shop", "the shop counts", "shop.service", "debug"},
	{"_SYSTEMD_UNIT=shop.service", "the shop says", "shop.service", "unknown"},
}

// longLine is more than a line may be in Loki.
var longLine = "begin of a long line " + strings.Repeat("long ", 1<<20/5)

// TestLogs ships the audit of a running server-monitor, files and a journal with
// Alloy to Loki, both with the configuration of deploy/, and asks whatever the
// dashboards ask. Debian has neither program: SERVER_MONITOR_LOKI and
// SERVER_MONITOR_ALLOY name them.
func TestLogs(t *testing.T) {
	loki := programs.StartLoki(t)
	root := t.TempDir()
	folder := filepath.Join(root, "var", "log")
	for _, name := range []string{"server-monitor", "shop", "journal"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	files := []string{filepath.Join(folder, "messages"), filepath.Join(folder, "shop", "say {a=\"b\"} \x1b[31m.log")}
	appendTo(t, files, "written before Alloy came")
	journal := filepath.Join(folder, "journal")
	writeJournal(t, journal)
	makeAudit(t, filepath.Join(folder, "server-monitor", "audit.jsonl"))

	alloy := programs.StartAlloy(t, loki, "web-1", root, journal)
	// It looks for files as it starts; a line of one that it has not seen yet is
	// before the end that it reads from.
	awaitLines(t, loki, `{source="audit"}`, 4)
	time.Sleep(3 * time.Second)
	for line := range logLines {
		appendTo(t, files, line)
	}
	appendTo(t, files[:1], longLine)
	awaitLines(t, loki, `{source="file"}`, 2*len(logLines)+1)
	awaitLines(t, loki, `{source="journal"}`, len(journalEntries))

	t.Run("labels", func(t *testing.T) { checkLabels(t, loki) })
	t.Run("files", func(t *testing.T) { checkFiles(t, loki) })
	t.Run("journal", func(t *testing.T) { checkJournal(t, loki) })
	t.Run("audit", func(t *testing.T) { checkAudit(t, loki) })
	asked := 0
	for _, q := range dashboardQueries(t) {
		if q.kind != "loki" {
			continue
		}
		asked++
		streams, err := loki.Query(interpolate(t, q.expr, "web-1"))
		if err != nil || len(streams) == 0 {
			t.Errorf("%s brings nothing (%v)", q.name, err)
		}
	}
	if asked < 6 {
		t.Errorf("only %d queries to Loki", asked)
	}
	if said := alloy.Output(); strings.Contains(said, "level=error") || strings.Contains(said, "status=4") {
		t.Errorf("Alloy says:\n%s", said)
	}
}

// appendTo writes a line to files, as programs do.
func appendTo(t *testing.T, files []string, line string) {
	t.Helper()
	for _, name := range files {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // a file of the test
		if err == nil {
			_, err = file.WriteString(line + "\n")
			err = firstOf(err, file.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// firstOf is the first error that is one.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// writeJournal makes a journal of now with the program of systemd that does so.
func writeJournal(t *testing.T, folder string) {
	t.Helper()
	const writer = "/lib/systemd/systemd-journal-remote"
	if _, err := os.Stat(writer); err != nil {
		t.Skip("Debian's systemd-journal-remote is not installed")
	}
	var text strings.Builder
	for i, entry := range journalEntries {
		at := time.Now().Add(time.Duration(i) * time.Millisecond).UnixMicro()
		fmt.Fprintf(&text, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032x\n%s\nMESSAGE=%s\n\n", at, 1000+i, 42, entry.fields, entry.message)
	}
	write := exec.Command(writer, "-o", filepath.Join(folder, "system.journal"), "-")
	write.Stdin = strings.NewReader(text.String())
	if output, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

// makeAudit has server-monitor refuse to end a process, rehearse it, and end
// one.
func makeAudit(t *testing.T, file string) {
	t.Helper()
	tokens := filepath.Join(t.TempDir(), "tokens.json")
	token, errs, status := rig.Run(t, exec.Command(programs.Monitor, "token", "create",
		"--operator.token-file="+tokens, "--name=anna", "--role=operator"), time.Minute)
	if status != 0 {
		t.Fatalf("token create: status %d: %s", status, errs)
	}
	token = strings.TrimSpace(token)
	address := freeAddress(t)
	monitor := rig.Start(t, exec.Command(programs.Monitor, "--web.listen-address=127.0.0.1:0",
		"--operator.listen-address="+address, "--operator.token-file="+tokens, "--audit.file="+file))
	monitor.AwaitOutput(t, 20*time.Second, `msg="Listening on" address=`+address)
	api := &killServer{server: &server{client: &http.Client{Timeout: time.Minute}}, address: address}
	t.Cleanup(api.client.CloseIdleConnections)
	pid := startInSession(t, "/usr/bin/sleep 1000")
	path := "/processes/" + strconv.Itoa(pid) + "/terminate"
	for _, ask := range []func() *said{
		func() *said { return api.terminate(t, token, os.Getpid()) },
		func() *said { return api.call(t, token, path, `{"name":"sleep","dry_run":true}`) },
		func() *said { return api.terminate(t, token, pid) },
	} {
		t.Log(ask())
	}
	if lives(pid) {
		t.Error("the process lives on")
	}
}

// awaitLines waits until a query brings as many lines.
func awaitLines(t *testing.T, loki *rig.Loki, query string, want int) {
	t.Helper()
	rig.Eventually(t, time.Minute, func() error {
		if got := len(linesOf(t, loki, query)); got < want {
			return fmt.Errorf("%s: %d lines of %d", query, got, want)
		}
		return nil
	})
}

// logLine is a line with its labels and structured metadata.
type logLine struct {
	rig.Labels
	text string
	at   time.Time
}

func linesOf(t *testing.T, loki *rig.Loki, query string) []logLine {
	t.Helper()
	streams, err := loki.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	var lines []logLine
	for _, stream := range streams {
		for _, value := range stream.Values {
			at, _ := value[0].(string)
			nanoseconds, err := strconv.ParseInt(at, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := value[1].(string)
			lines = append(lines, logLine{stream.Labels, text, time.Unix(0, nanoseconds)})
		}
	}
	return lines
}

// checkLabels requires few labels, of few values.
func checkLabels(t *testing.T, loki *rig.Loki) {
	for label, want := range map[string][]string{
		"":       {"host", "level", "source", "unit"},
		"host":   {"web-1"},
		"source": {"audit", "file", "journal"},
		"level":  {"critical", "debug", "error", "info", "unknown", "warning"},
	} {
		got, err := loki.Names(label)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("label %q: %q, want %q (%v)", label, got, want, err)
		}
	}
}

// checkFiles requires every line of every file once, with its level, and of a
// long line the begin.
func checkFiles(t *testing.T, loki *rig.Loki) {
	seen := map[string]int{}
	for _, line := range linesOf(t, loki, `{source="file"}`) {
		level, known := logLines[line.text]
		switch {
		case strings.HasPrefix(line.text, longLine[:1000]):
			seen["long"]++
		case strings.HasPrefix(line.text, "bytes of strangers"):
			seen["strange"]++
		case !known || line.Labels["level"] != level:
			t.Errorf("%v %.200q", line.Labels, line.text)
		default:
			seen[line.text]++
		}
		if filepath.Base(line.Labels["filename"]) != line.Labels["unit"] {
			t.Errorf("unit %q of the file %q", line.Labels["unit"], line.Labels["filename"])
		}
	}
	want := map[string]int{"long": 1, "strange": 2}
	for line := range logLines {
		if !strings.HasPrefix(line, "bytes") {
			want[line] = 2
		}
	}
	for line, times := range want {
		if seen[line] != times {
			t.Errorf("%d times, want %d: %s", seen[line], times, line)
		}
	}
}

func checkJournal(t *testing.T, loki *rig.Loki) {
	lines := linesOf(t, loki, `{source="journal"}`)
	for _, entry := range journalEntries {
		i := slices.IndexFunc(lines, func(line logLine) bool { return line.text == entry.message })
		if i < 0 {
			t.Errorf("%q is missing", entry.message)
			continue
		}
		if labels := lines[i].Labels; labels["unit"] != entry.unit || labels["level"] != entry.level ||
			(strings.Contains(entry.fields, "_PID=77") && (labels["pid"] != "77" || labels["comm"] != "shop")) {
			t.Errorf("%q has %v", entry.message, labels)
		}
	}
}

// checkAudit requires the fields of an event with the line, and its time.
func checkAudit(t *testing.T, loki *rig.Loki) {
	levels := map[string]int{}
	for _, line := range linesOf(t, loki, `{source="audit"} | json event_pid="pid", event_time="time", event_name="name"`) {
		labels := line.Labels
		levels[labels["level"]]++
		if labels["id"] == "" || labels["pid"] != labels["event_pid"] || labels["actor"] == "" || labels["process"] != labels["event_name"] {
			t.Errorf("%v of %s", labels, line.text)
		}
		if at, err := time.Parse(time.RFC3339Nano, labels["event_time"]); err != nil || !at.Equal(line.at) {
			t.Errorf("%v, the event is of %s (%v)", line.at, labels["event_time"], err)
		}
	}
	if levels["warning"] != 1 || levels["info"] < 3 {
		t.Errorf("levels %v", levels)
	}
}
