package report

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

var taken = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func listener(port uint16, addr string) process.Socket {
	return process.Socket{Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), port)}
}

// sample is an inventory of a safe, a dangerous and a hostile process, and of
// one that is not assessed.
func sample() *inventory.Inventory {
	started := taken.Add(-100 * time.Second)
	identity := func(pid int) process.Identity {
		return process.Identity{PID: pid, StartTicks: 7, Boot: "0123abcd"}
	}
	return &inventory.Inventory{
		Snapshot: &process.Snapshot{
			Taken: taken, MemoryTotal: 8 << 30, UnownedSockets: 2,
			Processes: []process.Process{
				{Identity: identity(2), Kernel: true, Facts: &process.Facts{Name: "kthreadd"}},
				{
					Identity: identity(10), State: process.Sleeping, StartTime: started, CPUSeconds: 2.5, ResidentBytes: 64 << 20, OpenFDs: 12,
					Facts: &process.Facts{Name: "redis-server", Exe: "/usr/bin/redis-server", User: "redis", UID: 112},
					Listen: []process.Socket{
						listener(6379, "0.0.0.0"), listener(6379, "::"), listener(9000, "127.0.0.1"), listener(10000, "10.0.0.1"),
					},
				},
				{
					Identity: identity(11), PPID: 10, State: process.Running, StartTime: started, OpenFDs: -1,
					Facts: &process.Facts{Name: "ev\x1b[2Jil\n", Exe: "/tmp/ev\x1b[2Jil\n", User: "에바", UID: 1000},
				},
			},
		},
		Assessments: []*risk.Assessment{
			{Excluded: true},
			{Verdict: risk.Safe, Document: &policy.Document{Name: "redis-server", Category: "cache", Description: "In-memory data store"}},
			{
				Verdict: risk.Dangerous, Unseen: process.DeniedSockets,
				Warnings: []risk.Warning{{Code: risk.SuspiciousPath, Severity: risk.Danger, Subject: "/tmp/ev\x1b[2Jil\n"}},
			},
		},
		Policy: policy.NewSet(policy.Linux),
	}
}

func TestReportOrdersAndCounts(t *testing.T) {
	r := New(sample(), language.English)
	if r.Excluded != 1 || r.Verdicts["danger"] != 1 || r.Verdicts["safe"] != 1 || r.Verdicts["caution"] != 0 {
		t.Errorf("excluded %d, verdicts %v", r.Excluded, r.Verdicts)
	}
	if len(r.Processes) != 2 || r.Processes[0].PID != 11 || r.Processes[1].PID != 10 {
		t.Fatalf("rows %+v, want pid 11, then 10", r.Processes)
	}
	if redis := r.Processes[1]; redis.Identity != "10-7-0123abcd" || redis.MemoryRatio != 1.0/128 || *redis.OpenFDs != 12 {
		t.Errorf("row %+v", redis)
	}
	if r.Processes[0].OpenFDs != nil {
		t.Error("descriptors that may not be seen are counted")
	}
}

func TestPortsNameTheOpenOnesFirst(t *testing.T) {
	r := New(sample(), language.English)
	ports, more := r.Processes[1].Ports(2)
	if strings.Join(ports, ",") != "6379,10000" || more != 1 {
		t.Errorf("ports %v and %d more", ports, more)
	}
}

func TestPortsBearTheNamesThatTheyAreKnownBy(t *testing.T) {
	listen := New(sample(), language.English).Processes[1].Listen
	if listen[0].PortName != "redis" || listen[3].PortName == "redis" {
		t.Errorf("sockets %+v", listen)
	}
}

func TestTable(t *testing.T) {
	for _, l := range language.All {
		var plain, coloured strings.Builder
		r := New(sample(), l)
		if err := WriteTable(&plain, r, l, Plain); err != nil {
			t.Fatal(err)
		}
		if err := WriteTable(&coloured, r, l, Coloured); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(plain.String(), "\x1b\r\t") {
			t.Errorf("%s: control characters in %q", l, plain.String())
		}
		for _, want := range []string{`🔴 ev\x1b[2Jil\n`, "🟢 redis-server", "6379,10000,9000", "2.5%", "64.0 MiB 0.8%", "SUSPICIOUS_PATH", "sockets"} {
			if !strings.Contains(plain.String(), want) {
				t.Errorf("%s: no %q in\n%s", l, want, plain.String())
			}
		}
		if strings.Index(plain.String(), "🔴 ev") > strings.Index(plain.String(), "🟢 redis") {
			t.Errorf("%s: danger is not first in\n%s", l, plain.String())
		}
		if !strings.Contains(coloured.String(), "\x1b[31m") {
			t.Errorf("%s: no red in %q", l, coloured.String())
		}
	}
}

// TestTableExplainsOnce has three processes of which two are alike.
func TestTableExplainsOnce(t *testing.T) {
	finding := []risk.Finding{{Warning: "FILELESS_EXE", Severity: "danger", Text: "Runs from memory."}}
	row := func(pid int, role string) Process {
		return Process{Name: "x", PID: pid, Verdict: "danger", Explanation: risk.Explanation{Role: role, Findings: finding}, verdict: risk.Dangerous}
	}
	r := &Report{Taken: taken, Processes: []Process{row(1, "a role"), row(2, "a role"), row(3, "another role")}}
	var table strings.Builder
	if err := WriteTable(&table, r, language.English, Plain); err != nil {
		t.Fatal(err)
	}
	if dots, roles := strings.Count(table.String(), "🔴 x"), strings.Count(table.String(), "a role"); dots != 3 || roles != 1 {
		t.Errorf("%d rows, the role %d times in\n%s", dots, roles, table.String())
	}
}

func TestAlignCountsWideCharacters(t *testing.T) {
	lines := align([][]string{
		{"이름", "1", "u", "0%", "1 MiB", "80"},
		{"name", "22", "사용자", "10%", "10 MiB", "-"},
	})
	want := []string{
		"이름   1  u        0%   1 MiB  80",
		"name  22  사용자  10%  10 MiB  -",
	}
	for i := range want {
		if lines[i] != want[i] {
			t.Errorf("line %d is %q, want %q", i, lines[i], want[i])
		}
	}
}

func TestJSONHasStableKeys(t *testing.T) {
	text, err := json.Marshal(New(sample(), language.Korean))
	if err != nil {
		t.Fatal(err)
	}
	var decoded map[string]any
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	row := decoded["processes"].([]any)[1].(map[string]any)
	for _, key := range []string{"identity", "pid", "name", "exe", "user", "verdict", "known", "role", "summary", "findings", "listen", "cpu_seconds", "resident_memory_bytes"} {
		if _, ok := row[key]; !ok {
			t.Errorf("no key %q in %s", key, text)
		}
	}
}
