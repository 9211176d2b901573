package logtail

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// logFile makes a file of that text.
func logFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.log")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func texts(lines []Line) []string {
	var all []string
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

func TestLast(t *testing.T) {
	many := strings.Repeat("a line that is there many times\n", 10000) + "the last but one\nthe last\n"
	cases := []struct {
		name, text string
		n          int
		want       []string
	}{
		{"empty", "", 3, nil},
		{"none wanted", "a\nb\n", 0, nil},
		{"fewer than wanted", "a\nb\n", 3, []string{"a", "b"}},
		{"just as many", "a\nb\nc\n", 3, []string{"a", "b", "c"}},
		{"more", "a\nb\nc\nd\n", 2, []string{"c", "d"}},
		{"no line break at the end", "a\nb\nc", 2, []string{"b", "c"}},
		{"empty lines", "a\n\n\n", 2, []string{"", ""}},
		{"windows", "a\r\nb\r\n", 2, []string{"a", "b"}},
		{"over many blocks", many, 2, []string{"the last but one", "the last"}},
		{"hostile", "a\x1b[2J\x00\xff\n\u202eb\tc\n", 2, []string{`a\x1b[2J\x00\xff`, `\u202eb    c`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			lines, err := NewFile(logFile(t, c.text)).Last(t.Context(), c.n)
			if err != nil {
				t.Fatal(err)
			}
			if got := texts(lines); !slices.Equal(got, c.want) {
				t.Errorf("lines %q, want %q", got, c.want)
			}
		})
	}
}

func TestLastCutsLongLines(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	lines, err := NewFile(logFile(t, "before\n"+long+"\nafter\n")).Last(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 3 || lines[0].Cut || !lines[1].Cut || lines[2].Cut {
		t.Fatalf("%d lines, cut %v", len(lines), lines)
	}
	if lines[1].Text != long[:MaxLine] || lines[2].Text != "after" {
		t.Errorf("the long line has %d bytes", len(lines[1].Text))
	}
}

// TestLastIsBounded has a file whose lines are longer than what is searched:
// sparse, so that it costs no disk.
func TestLastIsBounded(t *testing.T) {
	path := logFile(t, "begin\n")
	if err := os.Truncate(path, 1<<32); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("\nend\n"); err != nil {
		t.Fatal(err)
	}
	lines, err := NewFile(path).Last(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || !lines[0].Cut || lines[1].Text != "end" {
		t.Errorf("%d lines, the last %+v", len(lines), lines[len(lines)-1])
	}
}

func TestLastTellsWhatIsWrong(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewFile(logFile(t, "a\n")).Last(ended, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	for path, want := range map[string]error{
		filepath.Join(t.TempDir(), "absent"): fs.ErrNotExist,
		t.TempDir():                          ErrNotText,
	} {
		_, err := NewFile(path).Last(t.Context(), 1)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
		if words := Problem(err); words.English == "" || words.Korean == "" || strings.Contains(words.English, "cannot be read:") {
			t.Errorf("%s: said as %q", path, words)
		}
	}
	if words := Problem(errors.New("strange")); !strings.Contains(words.English, "strange") {
		t.Errorf("said as %q", words)
	}
}

func FuzzLast(f *testing.F) {
	f.Add("a\nb\n", 1)
	f.Add("\n\n", 2)
	f.Add("\xff\x00", 3)
	path := filepath.Join(f.TempDir(), "fuzz.log")
	f.Fuzz(func(t *testing.T, text string, n int) {
		n = max(0, n%20)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, err := NewFile(path).Last(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if text != "" {
			want = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		}
		if len(lines) != min(n, len(want)) {
			t.Fatalf("%d lines of %q, want %d", len(lines), text, min(n, len(want)))
		}
		for i, l := range lines {
			raw := want[len(want)-len(lines)+i]
			if expected := textLine(strings.TrimSuffix(raw, "\r")); l.Text != expected.Text || !utf8.ValidString(l.Text) {
				t.Errorf("line %d is %q, want %q", i, l.Text, expected.Text)
			}
		}
	})
}
