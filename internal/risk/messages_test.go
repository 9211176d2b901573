package risk

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"server-monitor/internal/language"
)

var places = regexp.MustCompile(`\{([a-z]+)\}`)

func placesOf(text string) []string {
	var names []string
	for _, match := range places.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	slices.Sort(names)
	return names
}

// No text is missing in any language, and all say the same things.
func TestMessagesAreComplete(t *testing.T) {
	for m := noMessage + 1; m < messageCount; m++ {
		want := placesOf(english[m])
		for _, l := range language.All {
			text := m.text(l)
			switch {
			case strings.TrimSpace(text) == "":
				t.Errorf("message %d (%q) is missing in %s", m, english[m], l)
			case !utf8.ValidString(text):
				t.Errorf("message %d in %s is not UTF-8", m, l)
			case !slices.Equal(placesOf(text), want):
				t.Errorf("message %d in %s has the places %v, in English %v", m, l, placesOf(text), want)
			case strings.Count(text, "{") != len(want), strings.Count(text, "}") != len(want):
				t.Errorf("message %d in %s has a broken place: %q", m, l, text)
			}
		}
	}
}

// Korean texts are Korean, but for those that only join others.
func TestMessagesAreTranslated(t *testing.T) {
	for m := noMessage + 1; m < messageCount; m++ {
		hangul := strings.ContainsFunc(korean[m], func(r rune) bool { return unicode.Is(unicode.Hangul, r) })
		if m != joinParts && m != joinList && !hangul {
			t.Errorf("message %d: %q", m, korean[m])
		}
		if strings.ContainsFunc(english[m], func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("message %d: %q", m, english[m])
		}
	}
}

// A Korean particle depends on how the word before it ends, so none that does
// may follow a place.
func TestNoParticleBehindPlace(t *testing.T) {
	particle := regexp.MustCompile(`\}(은|는|이|가|을|를|과|와|으로|로)([ .,]|$)`)
	for m := noMessage + 1; m < messageCount; m++ {
		if found := particle.FindString(korean[m]); found != "" {
			t.Errorf("message %d: %q in %q", m, found, korean[m])
		}
	}
}

func TestMessageIn(t *testing.T) {
	cases := []struct {
		name   string
		values []string
		want   string
	}{
		{"value", []string{"parent", "systemd"}, "started by systemd"},
		{"no value", nil, "started by "},
		{"another value", []string{"user", "anna"}, "started by "},
		{"value that looks like a place", []string{"parent", "{parent}{user}", "user", "anna"}, "started by {parent}{user}"},
		{"hostile value", []string{"parent", "a\x1b[2J\n\xff\u202eb"}, `started by a\x1b[2J\n\xff\u202eb`},
		{"odd values", []string{"parent"}, "started by "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := startedBy.in(language.English, c.values...); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
