package terminate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func openAudit(t *testing.T, path string, maxSize int64, keep int) *FileAuditor {
	t.Helper()
	a, err := OpenAudit(path, maxSize, keep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func record(t *testing.T, a Auditor, events ...Event) {
	t.Helper()
	for i := range events {
		if err := a.Record(t.Context(), &events[i]); err != nil {
			t.Fatal(err)
		}
	}
}

func decided(id string, decision Decision) Event {
	return Event{Time: time.Now().UTC(), ID: id, Stage: StageDecision, Decision: decision, PID: 7, Name: "a \"name\"\n"}
}

func ended(id string, outcome Outcome) Event {
	return Event{Time: time.Now().UTC(), ID: id, Stage: StageOutcome, Outcome: outcome, PID: 7}
}

func ids(events []Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.ID)
	}
	return all
}

func TestAuditFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	a := openAudit(t, path, 0, 0)
	record(t, a, decided("one", Accepted), ended("one", Killed), decided("two", Rejected))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), text)
	}
	for _, line := range lines {
		if !json.Valid(line) {
			t.Errorf("not JSON: %s", line)
		}
	}
	recent, err := a.Recent(2)
	if err != nil || !slices.Equal(ids(recent), []string{"two", "one"}) || recent[1].Outcome != Killed {
		t.Errorf("recent %v, %v", recent, err)
	}
}

// A line that was not finished, by a crash or a full disk, does not spoil the
// next one.
func TestAuditTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte(`{"id":"one","stage":"deci`), 0o600); err != nil {
		t.Fatal(err)
	}
	a := openAudit(t, path, 0, 0)
	record(t, a, decided("two", Accepted))
	recent, err := a.Recent(10)
	if err != nil || !slices.Equal(ids(recent), []string{"two"}) {
		t.Errorf("recent %v, %v", ids(recent), err)
	}
}

func TestAuditRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	a := openAudit(t, path, 600, 3)
	var want []string
	for i := range 30 {
		id := fmt.Sprintf("request-%02d", i)
		record(t, a, decided(id, Rejected))
		want = append([]string{id}, want...)
	}
	for n := range 5 {
		name := path
		if n > 0 {
			name = a.numbered(n)
		}
		info, err := os.Stat(name)
		switch {
		case n <= 3 && (err != nil || info.Size() > 600 || info.Size() == 0):
			t.Errorf("%s: %v", name, err)
		case n > 3 && err == nil:
			t.Errorf("%s is kept", name)
		}
	}
	recent, err := a.Recent(100)
	if err != nil || len(recent) < 8 || !slices.Equal(ids(recent), want[:len(recent)]) {
		t.Errorf("recent %v, %v", ids(recent), err)
	}
}

// An event larger than a whole file is written all the same.
func TestAuditHugeEvent(t *testing.T) {
	a := openAudit(t, filepath.Join(t.TempDir(), "audit.log"), 100, 2)
	e := decided("big", Rejected)
	e.Reason = strings.Repeat("x", 5000)
	record(t, a, e, decided("small", Rejected), e)
	if recent, err := a.Recent(10); err != nil || !slices.Equal(ids(recent), []string{"big", "small", "big"}) {
		t.Errorf("recent %v, %v", ids(recent), err)
	}
}

// Whoever moves or removes the file, as logrotate does, gets a new one.
func TestAuditFileTakenAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	a := openAudit(t, path, 0, 0)
	record(t, a, decided("one", Rejected))
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	record(t, a, decided("two", Rejected))
	if recent, err := a.Recent(10); err != nil || !slices.Equal(ids(recent), []string{"two"}) {
		t.Errorf("recent %v, %v", ids(recent), err)
	}
}

// Requests are settled in the order of the file, also where they are of one
// moment by the clock.
func TestUnfinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	a := openAudit(t, path, 700, 9)
	record(t, a,
		decided("lost", Accepted), decided("finished", Accepted), decided("refused", Rejected),
		decided("escalated", Accepted), Event{Time: time.Now(), ID: "escalated", Stage: StageEscalation, Decision: Accepted, PID: 9}, decided("unsynced", Accepted), decided("unsynced", Rejected),
		ended("finished", Terminated), decided("rehearsed", Rehearsed), decided("pending", Accepted), ended("pending", KillPending))
	unfinished, err := a.Settle(t.Context(), a)
	if err != nil || !slices.Equal(ids(unfinished), []string{"lost", "escalated"}) {
		t.Fatalf("unfinished %v, %v", ids(unfinished), err)
	}
	recent, err := a.Recent(2)
	if err != nil || recent[0].Outcome != Unknown || recent[0].Stage != StageOutcome || recent[0].PID != 9 {
		t.Errorf("recorded %+v, %v", recent, err)
	}
	if again, err := a.Settle(t.Context(), a); err != nil || len(again) != 0 {
		t.Errorf("the next start finds %v, %v", ids(again), err)
	}
}

func TestAuditIsConcurrent(t *testing.T) {
	a := openAudit(t, filepath.Join(t.TempDir(), "audit.log"), 4000, 99)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			e := decided(fmt.Sprint(i), Rejected)
			if err := a.Record(context.Background(), &e); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	recent, err := a.Recent(1000)
	distinct := ids(recent)
	slices.Sort(distinct)
	if err != nil || len(slices.Compact(distinct)) != 100 {
		t.Errorf("%d events, %v", len(recent), err)
	}
}

func TestAuditLog(t *testing.T) {
	var text bytes.Buffer
	handler := slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelError, AddSource: true})
	e := decided("one", Accepted)
	e.Actor = Actor{Name: "kim", Role: "operator", From: "127.0.0.1"}
	record(t, LogAuditor{handler}, e)
	var line map[string]any
	if err := json.Unmarshal(text.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, &text)
	}
	if line["id"] != "one" || line["stage"] != "decision" || line["decision"] != "accepted" || line["pid"] != 7.0 {
		t.Errorf("logged %s", &text)
	}
	if actor, ok := line["actor"].(map[string]any); !ok || actor["name"] != "kim" {
		t.Errorf("actor %v", line["actor"])
	}
	if source, ok := line["source"].(map[string]any); !ok || source["line"] == 0.0 {
		t.Errorf("source %v", line["source"])
	}
	text.Reset()
	record(t, LogAuditor{slog.NewTextHandler(&text, nil)}, e)
	if !strings.Contains(text.String(), `\"name\":\"kim\"`) || strings.Count(text.String(), "\n") != 1 {
		t.Errorf("logged %s", &text)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

// Each of several auditors is asked, and one that fails fails all.
func TestAuditors(t *testing.T) {
	var recent RecentEvents
	a := Auditors(LogAuditor{slog.NewJSONHandler(brokenWriter{}, nil)}, &recent)
	e := decided("one", Accepted)
	if err := a.Record(t.Context(), &e); err == nil {
		t.Error("a log that cannot be written to is no failure")
	}
	if len(recent.Recent(9)) != 1 {
		t.Error("the other auditor was not asked")
	}
}

func TestRecentEvents(t *testing.T) {
	var a RecentEvents
	for i := range 5000 {
		record(t, &a, decided(fmt.Sprint(i), Rejected))
	}
	if got := ids(a.Recent(3)); !slices.Equal(got, []string{"4999", "4998", "4997"}) {
		t.Errorf("recent %v", got)
	}
	if n := len(a.Recent(1 << 30)); n != recentLength {
		t.Errorf("%d events kept, want %d", n, recentLength)
	}
}

// The names of the fields are what dashboards and people's scripts go by.
func TestEventFields(t *testing.T) {
	want := "time id stage decision outcome method codes details sent graceful dry_run more actor reason pid identity name trusted_name" +
		" user uids sid exe unit verdict policy_document policy_change policy_state policy_source policy_version untrusted_name weaker children" +
		" soft_seconds hard_seconds total_seconds"
	if got := strings.Join(eventFields, " "); got != want {
		t.Errorf("fields %s\nwant   %s", got, want)
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add([]byte("{\"id\":\"a\",\"stage\":\"decision\"}\nrubbish\n{\"id\":\"b\",\"stage\":\"outcome\"}"))
	f.Add([]byte("\x00\n\n{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := readEvents(bytes.NewReader(text))
		if err != nil {
			t.Error(err)
		}
		for _, e := range events {
			if e.ID == "" || e.Stage == "" {
				t.Errorf("%+v of %q", e, text)
			}
		}
	})
}
