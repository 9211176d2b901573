package console

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
	"server-monitor/internal/service"
	"server-monitor/internal/terminate"
)

// budget is what the whole page may weigh.
const budget = 600_000

func get(t *testing.T, target string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestBudget(t *testing.T) {
	sum := 0
	for _, a := range assets {
		sum += len(a.body)
	}
	if sum > budget {
		t.Errorf("the page weighs %d bytes, more than %d", sum, budget)
	}
	t.Logf("the page weighs %d bytes in %d files", sum, len(assets))
}

func TestPage(t *testing.T) {
	for target, want := range map[string]int{
		"/": http.StatusOK, "/console/style.css": http.StatusOK, "/console/font/Galmuri7.woff2": http.StatusOK,
		"/console/font/OFL.txt": http.StatusOK, "/console/nothing": http.StatusNotFound, "/console/": http.StatusNotFound,
		"/console/font": http.StatusNotFound, "/other": http.StatusNotFound, "/console/%2e%2e/console.go": http.StatusNotFound,
	} {
		if response := get(t, target); response.StatusCode != want {
			t.Errorf("GET %s: status %d, want %d", target, response.StatusCode, want)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest(method, "/", http.NoBody))
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s /: status %d, want 405", method, w.Code)
		}
	}
}

func TestCaching(t *testing.T) {
	first := get(t, "/console/main.js")
	tag := first.Header.Get("ETag")
	if tag == "" || first.Header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("headers of a file: %v", first.Header)
	}
	if again := get(t, "/console/main.js", "If-None-Match", tag); again.StatusCode != http.StatusNotModified {
		t.Errorf("with its tag: status %d, want 304", again.StatusCode)
	}
	if other := get(t, "/console/main.js", "If-None-Match", `"other"`); other.StatusCode != http.StatusOK {
		t.Errorf("with another tag: status %d, want 200", other.StatusCode)
	}
	if got := get(t, "/").Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of the page: %q, want no-store", got)
	}
}

// TestPolicy checks that nothing but the page's own files can run, load or frame it.
func TestPolicy(t *testing.T) {
	for _, target := range []string{"/", "/console/main.js", "/console/nothing"} {
		h := get(t, target).Header
		directives := strings.Split(h.Get("Content-Security-Policy"), "; ")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "font-src 'self'", "img-src 'self'",
			"connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'",
		} {
			if !slices.Contains(directives, want) {
				t.Errorf("%s: the policy lacks %q: %v", target, want, directives)
			}
		}
		for _, weak := range []string{"unsafe", "*", "data:", "blob:", "http"} {
			if strings.Contains(h.Get("Content-Security-Policy"), weak) {
				t.Errorf("%s: the policy has %q: %v", target, weak, directives)
			}
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
	}
}

var (
	inlineScript = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|\son\w+\s*=|\sstyle\s*=|<style|javascript:`)
	foreignURL   = regexp.MustCompile(`(?i)(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}`)
	markupSink   = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|srcdoc|setHTML`)
)

// TestNothingForeign checks that no file loads or runs anything but the files
// beside it, and that no text can become markup.
func TestNothingForeign(t *testing.T) {
	for name, a := range assets {
		text := string(a.body)
		switch path.Ext(name) {
		case ".html":
			if found := inlineScript.FindString(text); found != "" {
				t.Errorf("%s has script or style in its markup: %q", name, found)
			}
		case ".js":
			if found := markupSink.FindString(text); found != "" {
				t.Errorf("%s may turn text into markup: %s", name, found)
			}
			text = strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "") // a name, never asked for
		case ".svg":
			text = strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "")
		case ".woff2", ".txt":
			continue
		}
		if found := foreignURL.FindString(text); found != "" {
			t.Errorf("%s names another server: %s", name, found)
		}
	}
}

var reference = regexp.MustCompile(`(?:href|src)="console/([^"]+)"|(?:from|import\()\s*'\./([^']+)'|url\("([^"]+)"\)|new URL\('([^']+\.json)'`)

// TestReferences checks that files refer to each other by names that exist, and
// that each of them is needed.
func TestReferences(t *testing.T) {
	needed := map[string]bool{pageName: true, "font/OFL.txt": true}
	for name, a := range assets {
		if path.Ext(name) == ".woff2" {
			continue
		}
		for _, found := range reference.FindAllStringSubmatch(string(a.body), -1) {
			target := strings.Join(found[1:], "")
			if _, ok := assets[target]; !ok {
				t.Errorf("%s refers to %s, which is not there", name, target)
			}
			needed[target] = true
		}
	}
	for name := range assets {
		if !needed[name] {
			t.Errorf("nothing refers to %s", name)
		}
	}
}

// words are the texts of the page by key and language.
type words map[string]map[string]string

func readWords(t *testing.T) words {
	t.Helper()
	var w words
	if err := json.Unmarshal(assets["words.json"].body, &w); err != nil {
		t.Fatalf("words.json: %v", err)
	}
	return w
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

// TestWords checks that every text is there in both languages, with the same
// places for values.
func TestWords(t *testing.T) {
	same := []string{"title", "order.pid", "resources.cpu", "order.cpu"} // may read the same in both
	for key, texts := range readWords(t) {
		if len(texts) != 2 || texts["en"] == "" || texts["ko"] == "" {
			t.Errorf("%s: want a text in en and in ko: %v", key, texts)
			continue
		}
		english, korean := placeholder.FindAllString(texts["en"], -1), placeholder.FindAllString(texts["ko"], -1)
		slices.Sort(english)
		slices.Sort(korean)
		if !slices.Equal(english, korean) {
			t.Errorf("%s: values %v in English, %v in Korean", key, english, korean)
		}
		hangul := strings.IndexFunc(texts["ko"], func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) >= 0
		if !hangul && len(placeholder.ReplaceAllString(texts["ko"], "")) > 4 && !slices.Contains(same, key) {
			t.Errorf("%s: the Korean text has no Korean in it: %q", key, texts["ko"])
		}
		if strings.IndexFunc(texts["en"], func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) >= 0 {
			t.Errorf("%s: the English text has Korean in it: %q", key, texts["en"])
		}
	}
}

var (
	wordCall      = regexp.MustCompile(`\bt\('([\w.-]+)'`)
	wordChoice    = regexp.MustCompile(`\?\s*'(\w+\.[\w.-]+)'\s*:\s*'(\w+\.[\w.-]+)'`)
	wordAttribute = regexp.MustCompile(`data-word(?:-label|-placeholder)?="([\w.-]+)"`)
	wordGroup     = regexp.MustCompile("\\bt\\(`([\\w]+)\\.\\$\\{|tCode\\('(\\w+)'")
)

// TestWordsInUse checks that what the page says has words, and that no words are
// left over.
func TestWordsInUse(t *testing.T) {
	known := readWords(t)
	used := make(map[string]bool)
	var groups []string
	for name, a := range assets {
		text := string(a.body)
		for _, pattern := range []*regexp.Regexp{wordCall, wordAttribute} {
			for _, found := range pattern.FindAllStringSubmatch(text, -1) {
				if used[found[1]] = true; known[found[1]] == nil {
					t.Errorf("%s: no words for %s", name, found[1])
				}
			}
		}
		for _, found := range wordChoice.FindAllStringSubmatch(text, -1) {
			for _, key := range found[1:] {
				if used[key] = true; known[key] == nil {
					t.Errorf("%s: no words for %s", name, key)
				}
			}
		}
		for _, found := range wordGroup.FindAllStringSubmatch(text, -1) {
			groups = append(groups, found[1]+found[2])
		}
	}
	for key := range known {
		group, _, _ := strings.Cut(key, ".")
		if !used[key] && !slices.Contains(groups, group) && key != "noscript" {
			t.Errorf("nothing says %s", key)
		}
	}
}

// TestCodes checks that the codes of the API have words.
func TestCodes(t *testing.T) {
	known := readWords(t)
	var keys []string
	for _, v := range risk.Verdicts {
		keys = append(keys, "verdict."+v.String())
	}
	for _, s := range []risk.Severity{risk.Info, risk.Warn, risk.Danger} {
		keys = append(keys, "severity."+s.String())
	}
	for _, s := range service.States {
		keys = append(keys, "state."+string(s))
	}
	for _, h := range []service.Health{service.Good, service.Warn, service.Bad} {
		keys = append(keys, "health."+h.String())
	}
	for _, o := range []terminate.Outcome{
		terminate.Terminated, terminate.Killed, terminate.AlreadyExited, terminate.KillPending, terminate.WouldTerminate,
		terminate.Refused, terminate.Unknown,
	} {
		keys = append(keys, "outcome."+string(o))
	}
	for _, s := range policy.States {
		keys = append(keys, "policy."+string(s))
	}
	for _, s := range []process.Scope{process.Loopback, process.Private, process.Public} {
		keys = append(keys, "scope."+s.String())
	}
	for _, f := range []process.Denied{process.DeniedExe, process.DeniedNamespaces, process.DeniedSockets, process.DeniedCgroup, process.DeniedUser, process.DeniedProtection} {
		keys = append(keys, "fact."+f.String())
	}
	for _, key := range keys {
		if known[key] == nil {
			t.Errorf("no words for %s", key)
		}
	}
}

var marked = regexp.MustCompile(`data-word="([\w.-]+)"[^>]*>([^<]*)<`)

// TestMarkupSpeaksEnglish checks that the page says in its markup what the words
// say in English, so that it reads well before they have arrived.
func TestMarkupSpeaksEnglish(t *testing.T) {
	known := readWords(t)
	for _, found := range marked.FindAllStringSubmatch(string(assets[pageName].body), -1) {
		if got, want := html.UnescapeString(found[2]), known[found[1]]["en"]; got != want {
			t.Errorf("%s: the page says %q, the words %q", found[1], got, want)
		}
	}
	noscript := known["noscript"]["en"]
	if !strings.Contains(string(assets[pageName].body), "<noscript><p class=\"notice\">"+noscript) {
		t.Error("the page does not say what it needs JavaScript for")
	}
}

// TestFonts checks that fonts let text show before they arrive, and that their
// licence is with them.
func TestFonts(t *testing.T) {
	style := string(assets["style.css"].body)
	faces, swaps := strings.Count(style, "@font-face"), strings.Count(style, "font-display: swap")
	if faces == 0 || faces != swaps {
		t.Errorf("%d fonts, %d of them with font-display: swap", faces, swaps)
	}
	if !strings.Contains(string(assets["font/OFL.txt"].body), "SIL OPEN FONT LICENSE Version 1.1") {
		t.Error("the licence of the fonts is not beside them")
	}
}

// TestFontsAreGenerated checks that the fonts are those that font/generate.sh
// last made: font/stamp has their sums, and those of what makes them.
func TestFontsAreGenerated(t *testing.T) {
	stamp, err := os.ReadFile("font/stamp")
	if err != nil {
		t.Fatal(err)
	}
	stamped := make(map[string]string)
	for line := range strings.Lines(string(stamp)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		stamped[name] = sum
	}
	check := func(name string, body []byte) {
		if got := fmt.Sprintf("%x", sha256.Sum256(body)); stamped[name] != got {
			t.Errorf("%s is not what font/stamp says: run go generate", name)
		}
	}
	for _, name := range []string{"generate.sh", "characters.py"} {
		body, err := os.ReadFile("font/" + name)
		if err != nil {
			t.Fatal(err)
		}
		check(name, body)
	}
	for name, a := range assets {
		if inFolder, ok := strings.CutPrefix(name, "font/"); ok {
			check(inFolder, a.body)
		}
	}
}
