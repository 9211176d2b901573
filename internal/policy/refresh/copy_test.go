package refresh

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"server-monitor/internal/policy"
)

func sampleContents() policy.Contents {
	return policy.Contents{
		Store: []policy.Document{{
			Name: "zz", Platform: policy.Linux, Category: "utility", Description: "<설명>", Paths: []string{"/opt/**"},
			Policy: policy.Policy{Reason: "why", ReasonI18n: map[string]string{"ko": "이유"}}, UpdatedAt: time.UnixMilli(5).UTC(),
		}},
		Rules: []policy.Rule{{ID: "r", Enabled: true, Priority: 3, Effect: policy.Protect, Match: policy.Match{User: "u", MinMemoryRatio: 0.5}}},
		Invalid: []policy.Invalid{
			{Collection: policy.KnownProcesses, ID: "1", Name: "bad", Problems: []policy.Problem{{Document: "d", Field: "f", Text: "t", Grave: true}}},
			{Collection: policy.ProcessRules, ID: "2", Rule: &policy.Rule{ID: "2", Effect: policy.Protect, Match: policy.Match{User: "v"}}},
		},
	}
}

func TestCopyRoundTrip(t *testing.T) {
	want := sampleContents()
	var b bytes.Buffer
	if err := writeCopy(&b, &want, "s"); err != nil {
		t.Fatal(err)
	}
	got, err := readCopy(&b, "s")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(policy.Document{}, policy.Rule{})); diff != "" {
		t.Error(diff)
	}
	if policy.Build(policy.Linux, want).Version() != policy.Build(policy.Linux, *got).Version() {
		t.Error("the copy has another version")
	}
}

// TestEveryDamageIsNoticed turns one bit of each byte, and cuts at each byte.
func TestEveryDamageIsNoticed(t *testing.T) {
	contents := sampleContents()
	var b bytes.Buffer
	if err := writeCopy(&b, &contents, "s"); err != nil {
		t.Fatal(err)
	}
	for i := range b.Len() {
		broken := bytes.Clone(b.Bytes())
		broken[i] ^= 0x10
		got, err := readCopy(bytes.NewReader(broken), "s")
		if err == nil && policy.Build(policy.Linux, *got).Version() != policy.Build(policy.Linux, contents).Version() {
			t.Errorf("byte %d turned: not noticed", i)
		}
		if _, err := readCopy(bytes.NewReader(b.Bytes()[:i]), "s"); err == nil {
			t.Errorf("cut at byte %d: not noticed", i)
		}
	}
	if _, err := readCopy(bytes.NewReader(b.Bytes()), "other"); !errors.Is(err, errOther) {
		t.Errorf("copy of another store: %v", err)
	}
}

func FuzzReadCopy(f *testing.F) {
	contents := sampleContents()
	var b bytes.Buffer
	if err := writeCopy(&b, &contents, "s"); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("{\"end\":{}}\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		if c, err := readCopy(bytes.NewReader(text), "s"); err == nil {
			policy.Build(policy.Linux, *c)
		}
	})
}

func TestCopyFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "policy")
	keep := func(c *Config) { c.CopyFile = file }
	store := newFake()
	store.put("zz", 1, false)
	r, _ := newRefresher(t, store, keep)
	refresh(t, r)
	if err := private(file); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(folder); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}

	// What has not changed is not written again, but its date is.
	past := time.Now().Add(-time.Hour)
	os.Chtimes(file, past, past)
	before, _ := os.ReadFile(file)
	refresh(t, r)
	info, _ := os.Stat(file)
	after, _ := os.ReadFile(file)
	if !bytes.Equal(before, after) || time.Since(info.ModTime()) > time.Minute {
		t.Errorf("dated %v", info.ModTime())
	}

	load := func() (*Refresher, []string) {
		again, log := newRefresher(t, store, keep)
		return again, log.lines()
	}
	if again, lines := load(); !protects(again.Current(), "zz") || again.Status().State != policy.Degraded || len(lines) != 0 ||
		again.Status().LastSuccess.Unix() != info.ModTime().Unix() {
		t.Errorf("%+v, %q", again.Status(), lines)
	}
	refuse := func(what, word string) {
		t.Helper()
		again, lines := load()
		if protects(again.Current(), "zz") || again.Status().State != policy.NeverReached || len(lines) != 1 || !strings.Contains(lines[0], word) {
			t.Errorf("%s: %+v, %q", what, again.Status().State, lines)
		}
	}
	expose(t, file)
	refuse("writable by others", exposedWords)
	if err := replaceFile(file, func(w io.Writer) error { _, err := w.Write(before); return err }); err != nil {
		t.Fatal(err)
	}
	store.name = "other"
	refuse("other store", "another database")
	store.name = "fake"
	os.WriteFile(file, before[:len(before)-10], 0o600)
	refuse("cut", "cut off")
	os.Remove(file)
	os.Mkdir(file, 0o700)
	refuse("folder", "regular file")
	os.Remove(file)
	if again, lines := load(); again.Status().State != policy.NeverReached || len(lines) != 0 {
		t.Errorf("no file: %q", lines)
	}
}

func TestCopyThatCannotBeKept(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "missing")
	store := newFake()
	r, log := newRefresher(t, store, func(c *Config) { c.CopyFile = filepath.Join(folder, "policy") })
	refresh(t, r)
	refresh(t, r)
	if lines := log.lines(); len(lines) != 2 || !strings.Contains(lines[0], "cannot be kept") {
		t.Errorf("%q", lines)
	}
	if r.Status().CopyErr == "" || r.Status().State != policy.Fresh {
		t.Errorf("%+v", r.Status())
	}
	os.Mkdir(folder, 0o700)
	refresh(t, r)
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "kept again") || r.Status().CopyErr != "" {
		t.Errorf("%q", lines)
	}
}
