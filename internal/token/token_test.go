package token

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func newFile(t *testing.T) File {
	t.Helper()
	return File{Path: filepath.Join(t.TempDir(), "tokens.json")}
}

func create(t *testing.T, f File, role Role, expires time.Time) (string, Record) {
	t.Helper()
	secret, r, err := f.Create("a test", role, expires)
	if err != nil {
		t.Fatal(err)
	}
	return secret, r
}

func keeper(t *testing.T, f File) *Keeper {
	t.Helper()
	k, err := NewKeeper(f, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRoles(t *testing.T) {
	want := map[Role]string{Viewer: "viewer", Operator: "viewer operator", Admin: "viewer operator admin", Automation: "automation", "": "", "root": ""}
	for role, may := range want {
		var got []string
		for _, needed := range Roles {
			if role.Includes(needed) {
				got = append(got, string(needed))
			}
		}
		if strings.Join(got, " ") != may {
			t.Errorf("%q includes %v, want %s", role, got, may)
		}
	}
	if Admin.Includes("") || Admin.Includes("root") {
		t.Error("a role that does not exist is included")
	}
}

func TestCreateAcceptRevoke(t *testing.T) {
	f := newFile(t)
	secret, r := create(t, f, Operator, time.Time{})
	k := keeper(t, f)
	if got, err := k.Accept(secret); err != nil || got != r {
		t.Errorf("accepted as %+v, %v", got, err)
	}
	other, _ := create(t, f, Viewer, time.Now().Add(time.Hour))
	if got, err := k.Accept(other); err != nil || got.Role != Viewer {
		t.Errorf("a token that was added later: %+v, %v", got, err)
	}
	if err := f.Revoke(r.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Accept(secret); !errors.Is(err, ErrUnknown) {
		t.Errorf("a revoked token: %v", err)
	}
	if err := f.Revoke(r.ID); err == nil {
		t.Error("a token is revoked twice")
	}
}

func TestFileHoldsNoSecret(t *testing.T) {
	f := newFile(t)
	secret, _ := create(t, f, Admin, time.Time{})
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), secret[len(prefix)+2*idBytes+1:]) {
		t.Error("the secret is in the file")
	}
	file, err := os.Open(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := checkAccess(file); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	f := newFile(t)
	secret, _ := create(t, f, Admin, time.Time{})
	expired, r := create(t, f, Admin, time.Now().Add(time.Hour))
	if _, err := find([]Record{r}, expired, time.Now().Add(time.Hour)); !errors.Is(err, ErrExpired) {
		t.Errorf("an expired token: %v", err)
	}
	k := keeper(t, f)
	last := secret[len(secret)-2]
	wrong := secret[:len(secret)-2] + string(last^1) + secret[len(secret)-1:]
	unknown, _ := generate("x", Admin, time.Now(), time.Time{})
	for name, c := range map[string]struct {
		secret string
		want   error
	}{
		"wrong": {wrong, ErrUnknown}, "unknown": {unknown, ErrUnknown}, "empty": {"", ErrMalformed}, "word": {"admin", ErrMalformed},
		"cut": {secret[:len(secret)-1], ErrMalformed}, "longer": {secret + "A", ErrMalformed}, "upper id": {strings.ToUpper(secret), ErrMalformed},
		"hash": {prefix + "00000000_" + dummyHash, ErrMalformed},
	} {
		if got, err := k.Accept(c.secret); !errors.Is(err, c.want) || got != (Record{}) {
			t.Errorf("%s: %+v, %v, want %v", name, got, err, c.want)
		}
		if _, err := k.Accept(c.secret); err != nil && c.secret != "" && strings.Contains(err.Error(), c.secret) {
			t.Errorf("%s: the error tells the token: %v", name, err)
		}
	}
}

func TestFileOfOthersIsRefused(t *testing.T) {
	f := newFile(t)
	secret, _ := create(t, f, Admin, time.Time{})
	k := keeper(t, f)
	for _, way := range waysToExpose {
		setAccess(t, f.Path, way)
		if _, err := f.Load(); !errors.Is(err, ErrReadableByOthers) {
			t.Errorf("%v: %v", way, err)
		}
		if _, err := k.Accept(secret); err == nil {
			t.Errorf("%v: a token is accepted", way)
		}
		if err := f.Revoke("00112233"); !errors.Is(err, ErrReadableByOthers) {
			t.Errorf("%v: changed: %v", way, err)
		}
	}
	setAccess(t, f.Path, privateAccess)
	if _, err := k.Accept(secret); err != nil {
		t.Errorf("after it was closed: %v", err)
	}
	if err := os.Remove(f.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Accept(secret); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	if _, err := NewKeeper(File{t.TempDir()}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a folder is taken for a token file")
	}
}

func TestBadFiles(t *testing.T) {
	record := `{"id":"0011aabb","name":"x","role":"admin","sha256":"` + strings.Repeat("a", 64) + `","created_at":"2026-01-01T00:00:00Z"}`
	if _, err := parse([]byte(`{"version":1,"tokens":[` + record + `]}`)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":       "",
		"not json":    "tokens",
		"version":     `{"version":2,"tokens":[]}`,
		"unknown key": `{"version":1,"tokens":[],"more":1}`,
		"two values":  `{"version":1,"tokens":[]} {}`,
		"twice":       `{"version":1,"tokens":[` + record + `,` + record + `]}`,
		"role":        `{"version":1,"tokens":[` + strings.Replace(record, "admin", "root", 1) + `]}`,
		"id":          `{"version":1,"tokens":[` + strings.Replace(record, "0011aabb", "0011", 1) + `]}`,
		"no hash":     `{"version":1,"tokens":[` + strings.Replace(record, strings.Repeat("a", 64), dummyHash, 1) + `]}`,
		"name":        `{"version":1,"tokens":[` + strings.Replace(record, `"x"`, `"a\nb"`, 1) + `]}`,
		"too long":    strings.Repeat(" ", maxFile+1),
	} {
		if _, err := parse([]byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestBadRequests(t *testing.T) {
	f := newFile(t)
	for _, name := range []string{"", "a\nb", "\x1b[2J", strings.Repeat("x", maxName+1), "\xff"} {
		if _, _, err := f.Create(name, Viewer, time.Time{}); err == nil {
			t.Errorf("name %q is taken", name)
		}
	}
	if _, _, err := f.Create("x", Viewer, time.Now().Add(-time.Hour)); err == nil {
		t.Error("a token is made that is expired")
	}
	if _, err := os.Stat(f.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}

func TestChangesDoNotGetLost(t *testing.T) {
	f := newFile(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { create(t, f, Viewer, time.Time{}) })
	}
	wg.Wait()
	records, err := f.Load()
	if err != nil || len(records) != 20 {
		t.Errorf("%d tokens, %v", len(records), err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"version":1,"tokens":[{"id":"0011aabb","name":"x","role":"admin","sha256":"00"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, err := parse(text)
		if err != nil {
			return
		}
		for _, r := range records {
			if r.check() != nil {
				t.Errorf("record %+v of %q", r, text)
			}
		}
	})
}

func FuzzAccept(f *testing.F) {
	secret, r := generate("x", Admin, time.Now(), time.Time{})
	f.Add(secret)
	f.Add("smk_00000000_")
	f.Fuzz(func(t *testing.T, shown string) {
		if _, err := find([]Record{r}, shown, time.Now()); err == nil && shown != secret {
			t.Errorf("%q is accepted", shown)
		}
	})
}

func TestMake(t *testing.T) {
	f := newFile(t)
	for range 2 {
		if err := f.Make(); err != nil {
			t.Fatal(err)
		}
		if records, err := f.Load(); err != nil || len(records) != 0 {
			t.Errorf("%v, %v", records, err)
		}
	}
	_, r := create(t, f, Viewer, time.Time{})
	if err := f.Make(); err != nil {
		t.Fatal(err)
	}
	if records, err := f.Load(); err != nil || len(records) != 1 || records[0].ID != r.ID {
		t.Errorf("what was there: %v, %v", records, err)
	}
	if err := (File{Path: filepath.Join(f.Path, "x")}).Make(); err == nil {
		t.Error("below a file")
	}
}
