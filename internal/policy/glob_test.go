package policy

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestGlobMatch(t *testing.T) {
	tests := []struct {
		pattern string
		windows bool
		yes, no []string
	}{
		{"/usr/sbin/nginx", false, []string{"/usr/sbin/nginx"}, []string{"/usr/sbin/nginx2", "/usr/sbin", "", "/USR/sbin/nginx"}},
		{"/usr/*/nginx", false, []string{"/usr/sbin/nginx", "/usr//nginx"}, []string{"/usr/local/sbin/nginx", "/usr/nginx"}},
		{"/opt/**", false, []string{"/opt/a", "/opt/a/b/c", "/opt/"}, []string{"/opt", "/optional/a", "/opt/../tmp/x"}},
		{"/opt/**/bin/x", false, []string{"/opt/a/bin/x", "/opt/a/b/bin/x"}, []string{"/opt/bin/x", "/opt/a/bin/x/y"}},
		{"/usr/pgsql-*/bin/postgres", false, []string{"/usr/pgsql-16/bin/postgres"}, []string{"/usr/pgsql-1/6/bin/postgres"}},
		{"/usr/bin/python3*", false, []string{"/usr/bin/python3", "/usr/bin/python3.11"}, []string{"/usr/bin/python3/x"}},
		{"/a*b**c*d", false, []string{"/abcd", "/axb/y/cd", "/axbcccxd"}, []string{"/abc/d", "/a/bcd"}},
		{"/**/.../x", false, []string{"/a/.../x"}, []string{"/a/../x"}},
		{"c:/windows/*.exe", false, []string{`C:\Windows\svchost.exe`, "c:/windows/A.EXE"}, []string{"d:/windows/a.exe", `c:\windows\system32\a.exe`}},
		{"*:/tools/**", true, []string{`D:\Tools\x\y.exe`}, []string{`D:\x\Tools\y.exe`, `\\server\tools\y.exe`}},
		{"registry", true, []string{"Registry", "registry"}, []string{"c:/registry"}},
	}
	for _, test := range tests {
		g, err := CompileGlob(test.pattern, test.windows)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		for _, path := range test.yes {
			if !g.Match(path) {
				t.Errorf("%s does not match %s", test.pattern, path)
			}
		}
		for _, path := range test.no {
			if g.Match(path) {
				t.Errorf("%s matches %s", test.pattern, path)
			}
		}
	}
}

func TestGlobRefusesWrongPatterns(t *testing.T) {
	wrong := []string{
		"", "usr/bin/x", "*", "**", "bin", "/usr//bin", "/usr/./bin", "/usr/../bin", "/usr/..", "/usr/bin/", "/a***b",
		`c:\windows\x`, "/a\x00b", "/a\nb", "1:/x", "c:x", "/" + strings.Repeat("a", maxGlob),
	}
	for _, pattern := range wrong {
		if _, err := CompileGlob(pattern, false); err == nil {
			t.Errorf("%q was taken", pattern)
		}
	}
	for _, pattern := range []string{"/usr/bin/x", "windows/x", "reg*"} {
		if _, err := CompileGlob(pattern, true); err == nil {
			t.Errorf("%q was taken on Windows", pattern)
		}
	}
}

// TestGlobCostIsBounded takes the patterns and paths that make matchers which
// try all ways blow up.
func TestGlobCostIsBounded(t *testing.T) {
	path := "/" + strings.Repeat("a", 4000) + "c"
	for _, part := range []string{"*a", "**a", "*a**a", "*aa"} {
		pattern := "/" + strings.Repeat(part, maxGlob/len(part)-2) + "b*c"
		g, err := CompileGlob(pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if g.Match(path) {
			t.Errorf("%.20s… matches", pattern)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.20s… took %v", pattern, took)
		}
	}
}

// FuzzGlob compares with the regular expression that a pattern means.
func FuzzGlob(f *testing.F) {
	for _, seed := range [][2]string{
		{"/a*b", "/axb"}, {"/**/b", "/x/y/b"}, {"/a**b*c", "/abbc"}, {"/*/*", "/a/b"}, {"c:/a*", `C:\Ab`}, {"/é*", "/éa"}, {"/a*\xff", "/ab\xff"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		g, err := CompileGlob(pattern, false)
		if err != nil || len(path) > 200 || len(pattern) > 60 {
			return
		}
		if g.fold {
			pattern, path = strings.ToLower(pattern), foldPath(path)
		}
		if got, want := g.Match(path), referenceMatch(pattern, path); got != want {
			t.Errorf("%q on %q: %v, want %v", pattern, path, got, want)
		}
	})
}

// referenceMatch matches by package regexp, byte by byte: each becomes the rune
// of the same number, as an expression takes invalid UTF-8 for U+FFFD.
func referenceMatch(pattern, path string) bool {
	if strings.Contains(path, "/../") {
		return false
	}
	expression := regexp.QuoteMeta(latin(pattern))
	expression = strings.ReplaceAll(expression, `\*\*`, `(?s:.*)`)
	expression = strings.ReplaceAll(expression, `\*`, `[^/]*`)
	return regexp.MustCompile(`\A` + expression + `\z`).MatchString(latin(path))
}

func latin(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

func BenchmarkGlob(b *testing.B) {
	g, err := CompileGlob("/usr/lib/*/docker/**/docker-proxy", false)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		g.Match("/usr/lib/x86_64-linux-gnu/docker/a/b/docker-proxy")
	}
}
