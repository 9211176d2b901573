package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var date = time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)

// tiny builds a small Go program that speaks like kingpin.
func tiny(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	source := "package main\nfunc main() { println(\"\"); print2() }\n" +
		"func print2() { _, _ = os.Stdout.WriteString(\".TH x 1 a\\n b\\n.SH \\\"NAME\\\"\\nx\\n.SH \\\"SYNOPSIS\\\"\\nx\\n\") }\n"
	source = strings.Replace(source, "package main\n", "package main\nimport \"os\"\n", 1)
	for name, text := range map[string]string{"main.go": source, "go.mod": "module tiny\n\ngo 1.26.0\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(folder, "tiny")
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".")
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// TestSameBytes makes packages twice, from files that are younger the second
// time, in another folder.
func TestSameBytes(t *testing.T) {
	program := tiny(t)
	var sums [2]string
	for i := range sums {
		t.Setenv("SOURCE_DATE_EPOCH", "1772323200")
		stamp := time.Now().Add(time.Duration(i) * time.Hour)
		if err := os.Chtimes(program, stamp, stamp); err != nil {
			t.Fatal(err)
		}
		out := t.TempDir()
		if err := run([]string{"-version=1.2.3-rc1", "-host=" + program, "-out=" + out, "amd64=" + program}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(text)
		check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
		check.Dir = out
		if said, err := check.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, said)
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("not the same bytes:\n%s%s", sums[0], sums[1])
	}
	for _, name := range []string{"server-monitor_1.2.3~rc1-1_amd64.deb", "server-monitor-1.2.3~rc1-1.x86_64.rpm", "server-monitor_1.2.3-rc1_linux_amd64.cdx.json"} {
		if !strings.Contains(sums[0], "  "+name+"\n") {
			t.Errorf("no %s in\n%s", name, sums[0])
		}
	}
}

// TestMisuse has no arguments, no date, and programs that are none.
func TestMisuse(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1")
	for _, args := range [][]string{
		nil,
		{"-version=1", "-host=true"},
		{"-version=1", "-host=true", "-out=" + t.TempDir(), "amd64"},
		{"-version=1", "-host=/bin/true", "-out=" + t.TempDir(), "amd64=/bin/true"}, // no manual
		{"-version=1", "-host=/bin/true", "-out=" + t.TempDir(), "amd64=/nowhere"},
	} {
		if err := run(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	for _, text := range []string{"", "0", "-1", "today"} {
		if _, err := sourceDate(text); err == nil {
			t.Errorf("%q is a date", text)
		}
	}
}

func TestManual(t *testing.T) {
	page, err := manual(".TH x 1 x, version\n  go\n.SH \"NAME\"\nx\n.SH \"SYNOPSIS\"\n.TP\nx\n", "1.0", date)
	if err != nil {
		t.Fatal(err)
	}
	want := ".TH SERVER-MONITOR 1 \"2026-03-01\" \"server-monitor 1.0\" \"User Commands\"\n.SH NAME\nserver-monitor \\- tells"
	if !strings.HasPrefix(page, want) || !strings.Contains(page, "\n.SH \"SYNOPSIS\"\n.TP\nx\n.SH \"EXIT STATUS\"\n") {
		t.Error(page)
	}
	for _, bad := range []string{"", ".SH \"NAME\"\nx\n"} {
		if _, err := manual(bad, "1.0", date); err == nil {
			t.Errorf("%q is a manual", bad)
		}
	}
}

func TestChangelog(t *testing.T) {
	text := changelog("1.0.0-rc1", "Jo <jo@example.com>", date)
	if !strings.HasPrefix(text, "server-monitor (1.0.0~rc1-1) stable;") || !strings.HasSuffix(text, "\n -- Jo <jo@example.com>  Sun, 01 Mar 2026 00:00:00 +0000\n") {
		t.Error(text)
	}
}

// TestMaintainer takes who builds at their word, in the form that Debian's and
// RPM's tools read.
func TestMaintainer(t *testing.T) {
	for _, text := range []string{"", "Jo Operator <jo@example.com>"} {
		if got, err := maintainer(text); err != nil || text != "" && got != text || !strings.HasSuffix(got, ">") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"Jo", "jo@example.com", "<jo@example.com>", "Jo <jo>", "Jo <jo@example.com>\nEvil: yes", "Jo<jo@example.com>"} {
		if got, err := maintainer(text); err == nil {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
}

// TestMaintainerOfPackages is told in both packages.
func TestMaintainerOfPackages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1772323200")
	t.Setenv(maintainerVariable, "Jo Operator <jo@example.com>")
	program, out := tiny(t), t.TempDir()
	if err := run([]string{"-version=1.0.0", "-host=" + program, "-out=" + out, "amd64=" + program}); err != nil {
		t.Fatal(err)
	}
	for _, query := range [][]string{
		{"dpkg-deb", "--field", filepath.Join(out, "server-monitor_1.0.0-1_amd64.deb"), "Maintainer"},
		{"rpm", "--query", "--nosignature", "--queryformat=%{PACKAGER}", "--package", filepath.Join(out, "server-monitor-1.0.0-1.x86_64.rpm")},
	} {
		if _, err := exec.LookPath(query[0]); err != nil {
			t.Log(err) // the end-to-end tests have it
			continue
		}
		if said, err := exec.Command(query[0], query[1:]...).Output(); err != nil || strings.TrimSpace(string(said)) != "Jo Operator <jo@example.com>" {
			t.Errorf("%s: %q, %v", query[0], said, err)
		}
	}
}

func TestCompress(t *testing.T) {
	text := compress([]byte("text"))
	r, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil || !r.ModTime.IsZero() || r.Name != "" {
		t.Fatalf("%v %+v", err, r)
	}
	if back, err := io.ReadAll(r); string(back) != "text" || err != nil {
		t.Errorf("%q %v", back, err)
	}
}

// TestSBOM lists what the test itself was linked from.
func TestSBOM(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := sbomOf(program, "1.0", date)
	if err != nil {
		t.Fatal(err)
	}
	var b bom
	if err := json.Unmarshal(text, &b); err != nil || b.Format != "CycloneDX" || b.Metadata.Component.Version != "1.0" {
		t.Fatalf("%v %s", err, text)
	}
	refs := make(map[string]bool)
	for _, c := range b.Components {
		refs[c.Ref] = true
		if c.Name == "github.com/goreleaser/nfpm/v2" {
			if !strings.HasPrefix(c.PURL, "pkg:golang/github.com/goreleaser/nfpm/v2@v2.") || len(c.Properties) != 1 {
				t.Errorf("%+v", c)
			}
		}
	}
	if !refs[b.Components[0].Ref] || len(b.Dependencies) != 1 || len(b.Dependencies[0].DependsOn) != len(refs) || len(refs) < 10 {
		t.Errorf("%d modules, %+v", len(refs), b.Dependencies)
	}
	if _, err := sbomOf("/bin/true", "1.0", date); err == nil {
		t.Error("a program that Go has not linked")
	}
}
