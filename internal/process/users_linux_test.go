package process

import (
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestParsePasswd(t *testing.T) {
	text := "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/sh\n# a comment:x:5:5:::\n\n+::::::\nshort:x:7\nbad:x:abc:1:::\n" +
		"minus:x:-1:1:::\nhuge:x:4294967296:1:::\nnobody:x:65534:65534:nobody:/:/sbin/nologin\nlast:x:4294967294:1:::\nwww data:x:33:33::/:/bin/sh"
	want := map[int]string{0: "root", 65534: "nobody", 4294967294: "last", 33: "www data"}
	if got := parsePasswd([]byte(text)); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestUsersFollowTheFile(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "etc/passwd")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	u := newUsers(root)
	if u.refresh() || u.name(1000) != "1000" {
		t.Errorf("without a file: %q", u.name(1000))
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("rocky:x:1000:1000::/:/bin/sh\n")
	if !u.refresh() || u.name(1000) != "rocky" || u.name(7) != "7" {
		t.Errorf("with a file: %q, %q", u.name(1000), u.name(7))
	}
	if u.refresh() {
		t.Error("read again though it is the same")
	}
	write("rocky-renamed:x:1000:1000::/:/bin/sh\nseven:x:7:7::/:/bin/sh\n")
	if !u.refresh() || u.name(1000) != "rocky-renamed" || u.name(7) != "seven" {
		t.Errorf("with another: %q, %q", u.name(1000), u.name(7))
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if u.refresh(); u.name(1000) != "rocky-renamed" {
		t.Errorf("after it was removed: %q", u.name(1000))
	}
}

func FuzzParsePasswd(f *testing.F) {
	f.Add([]byte("root:x:0:0:root:/root:/bin/bash\n"))
	f.Add([]byte(":::\n::0:\n\xff:\x00:1:\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for uid, name := range parsePasswd(text) {
			if uid < 0 || uid >= 1<<32 || name == "" || strings.ContainsAny(name, ":\n") || !strings.Contains(string(text), strconv.Itoa(uid)) {
				t.Errorf("%d: %q of %q", uid, name, text)
			}
		}
	})
}
