//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"server-monitor/e2e/rig"
)

// TestScan checks the command that prints one assessment.
func TestScan(t *testing.T) {
	samples := startSamples(t)
	t.Run("json", func(t *testing.T) { scanJSON(t, samples) })
	t.Run("table", func(t *testing.T) { scanTable(t, samples) })
	t.Run("verdicts", scanVerdicts)
	t.Run("korean", func(t *testing.T) { scanKorean(t, samples) })
	t.Run("fail-on", func(t *testing.T) {
		for failOn, want := range map[string]int{"danger": 1, "caution": 1, "none": 0} {
			if _, stderr, status := run(t, ratioFlag, "scan", "--fail-on="+failOn); status != want {
				t.Errorf("--fail-on=%s: exit status %d, want %d: %s", failOn, status, want, stderr)
			}
		}
	})
}

// scanJSON checks that the output for programs says of the samples what the
// metrics say.
func scanJSON(t *testing.T, samples map[string]sampleProcess) {
	t.Helper()
	stdout, stderr, status := run(t, ratioFlag, "scan", "-o", "json")
	if status != 0 || stderr != "" {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	r := readReport(t, stdout)
	for name, sample := range samples {
		found := r.find(func(p *reported) bool { return p.PID == sample.pid })
		if len(found) != 1 {
			t.Errorf("%s: %d times in the report", name, len(found))
			continue
		}
		p := found[0]
		if p.Verdict != sample.verdict || p.Known != sample.known || p.Role == "" || p.Summary == "" || p.Identity == "" {
			t.Errorf("%s: want %s, known %v; have %s", name, sample.verdict, sample.known, p)
		}
		if len(p.Findings) != len(sample.warnings) {
			t.Errorf("%s: want %v; have %s", name, sample.warnings, p)
		}
		for _, f := range p.Findings {
			if f.Text == "" || f.Advice == "" {
				t.Errorf("%s: a warning without text or advice: %s", name, p)
			}
		}
	}
	counted := make(map[string]int)
	last := ""
	for i := range r.Processes {
		verdict := r.Processes[i].Verdict
		counted[verdict]++
		if order := "danger caution safe"; strings.Index(order, verdict) < strings.Index(order, last) {
			t.Errorf("%s comes after %s", verdict, last)
		}
		last = verdict
	}
	for verdict, n := range r.Verdicts {
		if counted[verdict] != n {
			t.Errorf("%d processes are %s, the sum says %d", counted[verdict], verdict, n)
		}
	}
}

// scanTable checks the output for people.
func scanTable(t *testing.T, samples map[string]sampleProcess) {
	t.Helper()
	plain, _, status := run(t, ratioFlag, "scan")
	coloured, _, _ := run(t, ratioFlag, "scan", "--color=always")
	if status != 0 || strings.Contains(plain, "\x1b") || !strings.Contains(coloured, "\x1b[") {
		t.Errorf("exit status %d; colours belong into the output that asks for them alone", status)
	}
	for name, sample := range samples {
		if !strings.Contains(plain, " "+itoa(sample.pid)+" ") {
			t.Errorf("%s, pid %d, is not in the table", name, sample.pid)
		}
		for _, warning := range sample.warnings {
			code, _, _ := strings.Cut(warning, "|")
			if !strings.Contains(plain, code) {
				t.Errorf("%s is not in the table", code)
			}
		}
	}
	if red, green := strings.LastIndex(plain, "\n🔴"), strings.Index(plain, "\n🟢"); red < 0 || green < red {
		t.Error("danger does not come first")
	}
}

// scanVerdicts checks that only what is asked for is printed.
func scanVerdicts(t *testing.T) {
	stdout, _, _ := run(t, ratioFlag, "scan", "--output=json", "--verdict=danger,caution")
	r := readReport(t, stdout)
	for _, p := range r.find(func(p *reported) bool { return p.Verdict == "safe" }) {
		t.Errorf("not asked for: %s", p)
	}
	if len(r.Processes) == 0 || r.Verdicts["safe"] == 0 {
		t.Errorf("%d processes; %v in all", len(r.Processes), r.Verdicts)
	}
}

// scanKorean checks that texts change with the language, and codes do not.
func scanKorean(t *testing.T, samples map[string]sampleProcess) {
	t.Helper()
	stdout, _, status := run(t, ratioFlag, "scan", "--language=ko", "--output=json", "--verdict=danger")
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
	r := readReport(t, stdout)
	found := r.find(func(p *reported) bool { return p.PID == samples["public listener"].pid })
	if len(found) != 1 || len(found[0].Findings) == 0 {
		t.Fatalf("the public listener is %d times in the report, or without a warning", len(found))
	}
	p := found[0]
	for _, text := range []string{p.Role, p.Summary, p.Findings[0].Text, p.Findings[0].Advice} {
		if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) {
			t.Errorf("not Korean: %q", text)
		}
	}
	if !strings.HasPrefix(p.Findings[0].Warning, "PUBLIC_PORT(") || p.Verdict != "danger" {
		t.Errorf("codes have changed: %s", p)
	}
}

// TestScanWithStore scans by the policy of a database, and says so where that
// does not answer.
func TestScanWithStore(t *testing.T) {
	uri := "--policy.mongodb-uri=" + programs.StartFerretDB(t)
	copied := "--policy.copy-file=" + filepath.Join(t.TempDir(), "copy")
	name := "acme-scanned"
	pid := rig.StartSample(t, exec.Command(rig.Install(t, programs.Sample, "/opt", name), "sleep"))
	if _, stderr, status := run(t, "policy", "set", "linux/"+name, "--category=backup", "--description=Backs up the shop", uri); status != 0 {
		t.Fatalf("policy set: %s", stderr)
	}
	find := func(flags ...string) (*report, []*reported) {
		stdout, stderr, status := run(t, append([]string{"scan", "-o", "json", copied}, flags...)...)
		if status != 0 {
			t.Fatalf("exit status %d: %s", status, stderr)
		}
		r := readReport(t, stdout)
		return r, r.find(func(p *reported) bool { return p.PID == pid })
	}
	if r, found := find(uri); r.PolicyState != "fresh" || len(found) != 1 || !found[0].Known || found[0].Role != "Backs up the shop" {
		t.Errorf("policy is %s, found %v", r.PolicyState, found)
	}
	away := "--policy.mongodb-uri=mongodb://127.0.0.1:1/?timeoutMS=200"
	if r, found := find(away); r.PolicyState != "never_reached" || len(found) != 1 || found[0].Known {
		t.Errorf("of another store: policy is %s, found %v", r.PolicyState, found)
	}
	if stdout, stderr, _ := run(t, "scan", away); !strings.Contains(stdout, "does not answer: judged by the embedded catalogue alone") ||
		!strings.Contains(stderr, "policy is not fresh") {
		t.Errorf("printed %.300s; logged %s", stdout, stderr)
	}
}
