package mongostore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNoSecretIsShown(t *testing.T) {
	uris := []string{
		"mongodb://alice:s3cretword@127.0.0.1:1/?serverSelectionTimeoutMS=50",
		"mongodb://alice:s3cretword@127.0.0.1:1/?authMechanism=NONSENSE",
		"mongodb://alice:s3cretword@:x:y/",
		"mongodb://alice:s3cretword@host:99999999/",
		"mongodb://alice:s3cretword%ZZ@127.0.0.1:1/",
		"mongodb://alice:s3cretword@127.0.0.1:1/?tls=maybe",
		"mongodb://ali@ce:s3cretword@127.0.0.1:1/",
		"mongodb://alice:s3cretword@127.0.0.1:1/?authMechanismProperties=AWS_SESSION_TOKEN:s3cretword",
		"mongodb://127.0.0.1:1/?tls=true&tlsCertificateKeyFile=/nonexistent&tlsCertificateKeyFilePassword=s3cretword",
		"mongo://alice:s3cretword@host/",
		"alice:s3cretword@host",
		"mongodb://alice:s3cretword@127.0.0.1:1/?nonsense",
	}
	for _, uri := range uris {
		store, err := Open(Config{URI: uri, Timeout: 100 * time.Millisecond})
		if err == nil {
			err = store.Ping(context.Background())
			if strings.Contains(store.Address()+store.Fingerprint(), "s3cret") {
				t.Errorf("%s: address %s", uri, store.Address())
			}
			store.Close(context.Background())
		}
		if err == nil {
			t.Errorf("%s: no error", uri)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "alice") {
			t.Errorf("%s: %v", uri, err)
		}
		if shown := Redact(uri); strings.Contains(shown, "s3cret") || strings.Contains(shown, "alice") {
			t.Errorf("%s: redacted %s", uri, shown)
		}
	}
}

func TestRedactor(t *testing.T) {
	r := newRedactor("mongodb://alice:p%40ssw%2Frd@h/?x=1")
	text := r.clean(`auth of alice failed with "p%40ssw%2Frd", that is p@ssw/rd` + "\x1b")
	if strings.Contains(text, "ssw") || strings.Contains(text, "alice") || strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
	if text := newRedactor("mongodb://u:ab@h/").clean("cable ab"); strings.Contains(text, "ab ") || strings.Contains(text, "cable") {
		t.Errorf("a short password is given away: %q", text)
	}
	if text := newRedactor("mongodb://h/").clean("cable"); text != "cable" {
		t.Errorf("%q", text)
	}
	if got := Redact("mongodb+srv://u:p@a.b,c.d:27018/db?x=1"); got != "mongodb+srv://a.b,c.d:27018/db" {
		t.Errorf("%q", got)
	}
	if r.wrap("x", nil) != nil {
		t.Error("an error of nothing")
	}
	if err := r.wrap("x", context.DeadlineExceeded); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestReadURI(t *testing.T) {
	file := filepath.Join(t.TempDir(), "uri")
	for text, want := range map[string]string{"mongodb://h/\n": "mongodb://h/", "": "", "a\nb": ""} {
		os.WriteFile(file, []byte(text), 0o600)
		got, err := ReadURI(file)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := ReadURI(file + "x"); err == nil {
		t.Error("no error for a missing file")
	}
}

func TestOpenChecksTheDatabase(t *testing.T) {
	for _, name := range []string{"a/b", "a.b", "a b", "$x", strings.Repeat("x", 64)} {
		if _, err := Open(Config{URI: "mongodb://127.0.0.1:1/", Database: name}); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}

func TestFingerprint(t *testing.T) {
	of := func(uri, database string) string {
		s, err := Open(Config{URI: uri, Database: database})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(context.Background())
		return s.Fingerprint()
	}
	base := of("mongodb://u:one1@a:1,b:2/", "")
	if base != of("mongodb://u:two2@b:2,a:1/?appName=x", "server_monitor") {
		t.Error("the same store has two fingerprints")
	}
	if base == of("mongodb://a:1,c:2/", "") || base == of("mongodb://a:1,b:2/", "x") {
		t.Error("two stores have the same fingerprint")
	}
}
