package process

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	long := strings.Repeat("a", maxPrintable)
	cases := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"ascii", "/usr/sbin/sshd", "/usr/sbin/sshd"},
		{"space", "Google Chrome", "Google Chrome"},
		{"backslash stays", `C:\Windows\n`, `C:\Windows\n`},
		{"quotes stay", `a"b'c`, `a"b'c`},
		{"hangul", "서버 모니터", "서버 모니터"},
		{"replacement character is a character", "a\ufffdb", "a\ufffdb"},
		{"combining accent", "e\u0301", "e\u0301"},
		{"emoji", "🟢", "🟢"},
		{"newline tab return", "a\nb\tc\rd", `a\nb\tc\rd`},
		{"escape sequence", "\x1b[2J", `\x1b[2J`},
		{"nul and delete", "\x00\x7f", `\x00\x7f`},
		{"c1 control", "\u009b2J", `\u009b2J`},
		{"invalid byte", "a\xffb", `a\xffb`},
		{"cut sequence", "a\xe2\x82", `a\xe2\x82`},
		{"overlong slash", "\xc0\xaf", `\xc0\xaf`},
		{"surrogate", "\xed\xa0\x80", `\xed\xa0\x80`},
		{"bidi override", "\u202egpj.exe", `\u202egpj.exe`},
		{"bidi isolate", "\u2066a\u2069", `\u2066a\u2069`},
		{"zero width space", "a\u200bb", `a\u200bb`},
		{"byte order mark", "\ufeffa", `\ufeffa`},
		{"soft hyphen", "a\u00adb", `a\u00adb`},
		{"no-break space", "a\u00a0b", `a\u00a0b`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"hangul filler", "\u3164", `\u3164`},
		{"grapheme joiner", "a\u034fb", `a\u034fb`},
		{"variation selector", "a\ufe0f", `a\ufe0f`},
		{"private use", "\ue000", `\ue000`},
		{"tag character", "\U000e0041", `\U000e0041`},
		{"longest", long, long},
		{"too long", long + "a", long[:maxPrintable-3] + "…"},
		{"too long by escapes", strings.Repeat("\x1b", 1025), strings.Repeat(`\x1b`, 1023) + "…"},
		{"exactly filled by escapes", strings.Repeat("\x1b", 1024), strings.Repeat(`\x1b`, 1024)},
		{"cut at a whole rune", strings.Repeat("a", maxPrintable-4) + "서서", strings.Repeat("a", maxPrintable-4) + "…"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Printable(c.in); got != c.want {
				t.Errorf("Printable(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestPrintableLeavesGoodNamesAlone(t *testing.T) {
	name := "/home/사용자/my tool"
	if n := testing.AllocsPerRun(100, func() { Printable(name) }); n != 0 {
		t.Errorf("%v allocations for a name without escapes, want 0", n)
	}
}

func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"", "sshd", "a\nb", "\xff\xfe", "\u202e", "\U000e0041", strings.Repeat("\x00", 1025), strings.Repeat("서", 1400)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Printable(s)
		if !utf8.ValidString(got) {
			t.Errorf("Printable(%q) = %q is not UTF-8", s, got)
		}
		if len(got) > maxPrintable {
			t.Errorf("Printable(%q) has %d bytes", s, len(got))
		}
		for _, r := range got {
			if !visible(r) {
				t.Errorf("Printable(%q) = %q shows %U", s, got, r)
			}
		}
		if again := Printable(got); again != got {
			t.Errorf("Printable(%q) = %q, and of that %q", s, got, again)
		}
		if len(s) <= maxPrintable && allPrintable(s) && got != s {
			t.Errorf("Printable(%q) = %q, want it unchanged", s, got)
		}
	})
}
