//go:build unix

package logtail

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestParseEntry(t *testing.T) {
	cases := []struct {
		name, text string
		want       Line
	}{
		{
			"of a service",
			`{"__REALTIME_TIMESTAMP":"1795550000000000","MESSAGE":"Accepted key","PRIORITY":"6","SYSLOG_IDENTIFIER":"sshd","_PID":"12","_SYSTEMD_UNIT":"ssh.service"}`,
			Line{Time: time.UnixMicro(1795550000000000), Level: Info, Unit: "ssh.service", Text: "sshd[12]: Accepted key"},
		},
		{"priority goes before words", `{"MESSAGE":"an error","PRIORITY":"4"}`, Line{Level: Warning, Text: "an error"}},
		{"bytes", `{"MESSAGE":[97,27,255]}`, Line{Level: Info, Text: `a\x1b\xff`}},
		{"several", `{"MESSAGE":["first","second"],"_COMM":"x"}`, Line{Level: Info, Text: "x: first"}},
		{"several of bytes", `{"MESSAGE":[[97,98],"second"]}`, Line{Level: Info, Text: "ab"}},
		{"too long", `{"MESSAGE":null}`, Line{Level: Info, Text: tooLong, Cut: true}},
		{"lines", `{"MESSAGE":"a\nb"}`, Line{Level: Info, Text: `a\nb`}},
		{"empty", `{}`, Line{Level: Info}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := parseEntry([]byte(c.text)); !ok || got != c.want {
				t.Errorf("%+v, %v, want %+v", got, ok, c.want)
			}
		})
	}
	for _, broken := range []string{"", "{", "[]", `{"MESSAGE":{"a":1}}`, `{"MESSAGE":[256]}`} {
		if l, ok := parseEntry([]byte(broken)); ok {
			t.Errorf("%q is read as %+v", broken, l)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(`{"MESSAGE":"x","PRIORITY":"3","_PID":"1"}`))
	f.Add([]byte(`{"MESSAGE":[1,2,[3]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if l, ok := parseEntry(text); ok && (!utf8.ValidString(l.Text) || strings.ContainsAny(l.Text, "\x1b\n")) {
			t.Errorf("%q is shown as %q", text, l.Text)
		}
	})
}

// fakeJournal is a journal whose journalctl is a shell script.
func fakeJournal(t *testing.T, script string) *Journal {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journalctl")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return &Journal{program: path, root: "/host"}
}

func TestJournalLast(t *testing.T) {
	j := fakeJournal(t, `
case "$*" in *--lines=2*--root=/host*) ;; *) echo "arguments $*" >&2; exit 1;; esac
echo '{"MESSAGE":"one"}'
echo '{"MESSAGE":"two"}'
`)
	lines, err := j.Last(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(texts(lines), " "); got != "one two" {
		t.Errorf("lines %q", got)
	}
}

func TestJournalSkipsAnEndlessEntry(t *testing.T) {
	j := fakeJournal(t, `
printf '{"MESSAGE":"'; head -c 3000000 /dev/zero | tr '\0' x; echo '"}'
echo '{"MESSAGE":"after"}'
`)
	lines, err := j.Last(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || !lines[0].Cut || lines[1].Text != "after" {
		t.Errorf("lines %+v", lines)
	}
}

func TestJournalTellsWhatIsWrong(t *testing.T) {
	if _, err := (&Journal{program: "journalctl-that-is-not-there"}).Last(t.Context(), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no journalctl: %v", err)
	}
	denied := fakeJournal(t, `echo "No journal files were opened due to insufficient permissions." >&2; exit 1`)
	if _, err := denied.Last(t.Context(), 1); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("denied: %v", err)
	}
	broken := fakeJournal(t, `printf 'bad \033 disk' >&2; exit 1`)
	if _, err := broken.Last(t.Context(), 1); err == nil || !strings.Contains(err.Error(), `bad \x1b disk`) {
		t.Errorf("broken: %v", err)
	}
}

func TestJournalFollow(t *testing.T) {
	j := fakeJournal(t, `
case "$*" in *--follow*--lines=0*) ;; *) exit 1;; esac
echo '{"MESSAGE":"one"}'
echo '{"MESSAGE":"two"}'
exec sleep 600
`)
	f, err := j.Follow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	for deadline := time.Now().Add(10 * time.Second); len(got) < 2 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		lines, err := f.Next(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, texts(lines)...)
	}
	if strings.Join(got, " ") != "one two" {
		t.Errorf("lines %q", got)
	}
}

func TestJournalFollowTellsItsEnd(t *testing.T) {
	f, err := fakeJournal(t, `echo '{"MESSAGE":"one"}'; exit 0`).Follow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := f.Next(t.Context(), 10); err != nil {
			return
		}
	}
	t.Error("a journalctl that has ended goes on for ever")
}
