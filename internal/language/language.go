// Package language names the languages that server-monitor speaks to people.
// Codes, labels of metrics and keys of JSON are the same in all of them.
package language

import "fmt"

// Language is a language by its BCP 47 tag.
type Language string

// The languages.
const (
	English Language = "en"
	Korean  Language = "ko"
)

// All lists the languages, the default first.
var All = []Language{English, Korean}

// Parse reads a tag.
func Parse(tag string) (Language, error) {
	for _, l := range All {
		if string(l) == tag {
			return l, nil
		}
	}
	return "", fmt.Errorf("no language %q: want en or ko", tag)
}

// Text is one text in every language.
type Text struct{ English, Korean string }

// In is the text in a language, in English where that is missing.
func (t Text) In(l Language) string {
	if l == Korean && t.Korean != "" {
		return t.Korean
	}
	return t.English
}
