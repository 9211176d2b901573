package policy

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// The files of the catalogue are arrays of documents. Each document is one line,
// written as package encoding/json writes it, so that what a set needs of all of
// them can be told from the text.
//
//go:embed catalogue/*.json
var catalogueFiles embed.FS

// Catalogue returns the documents that are embedded in the program. The slice
// is the caller's; what the documents point to is shared. A set takes them by
// [EmbeddedSet] or [Contents] with less memory.
func Catalogue() []Document { return slices.Clone(readCatalogue()) }

// readCatalogue parses the embedded files once.
var readCatalogue = sync.OnceValue(func() []Document {
	all := make([]Document, len(embedded()))
	for i, s := range embedded() {
		all[i] = *s.passing()
	}
	return all
})

// EmbeddedSet makes a set of the documents that are embedded in the program.
func EmbeddedSet(platform Platform) *Set { return Build(platform, Contents{Embedded: true}) }

// EmbeddedDocument returns the embedded document of a name, nil without one.
func EmbeddedDocument(platform Platform, name string) *Document {
	for _, s := range embedded() {
		if s.key == (key{name, platform}) {
			return s.passing()
		}
	}
	return nil
}

// embedded finds the documents in the embedded files once. These are part of the
// program and tested, so what is wrong in them is a defect of the program.
var embedded = sync.OnceValue(func() []*stored {
	files, err := catalogueFiles.ReadDir("catalogue")
	if err != nil {
		panic("policy: " + err.Error())
	}
	var all []*stored
	for _, file := range files {
		text, err := catalogueFiles.ReadFile("catalogue/" + file.Name())
		if err != nil {
			panic("policy: " + err.Error())
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			if line, ok := documentLine(line); ok {
				s, err := embeddedDocument(line)
				if err != nil {
					panic(fmt.Sprintf("policy: %s: %v", file.Name(), err))
				}
				all = append(all, s)
			}
		}
	}
	return all
})

// documentLine is the document that a line of a file holds, if it does.
func documentLine(line string) (string, bool) {
	return strings.TrimSuffix(line, ","), strings.HasPrefix(line, "{")
}

// embeddedDocument tells of a document what a set needs of all of them. No text within a
// string looks like the fields that are looked for, as its quotes are escaped.
func embeddedDocument(line string) (*stored, error) {
	name, rest, ok1 := strings.Cut(strings.TrimPrefix(line, `{"name":"`), `","platform":"`)
	platform, _, ok2 := strings.Cut(rest, `"`)
	if !ok1 || !ok2 || strings.ContainsAny(name, `"\`) {
		return nil, fmt.Errorf("a document that does not begin with name and platform: %.60s", line)
	}
	sum := sha256.Sum256([]byte(line))
	return &stored{
		key: key{name, Platform(platform)}, digest: digest(sum[:16]), text: line,
		denies: strings.Contains(line, `"is_system":true`) || strings.Contains(line, `"terminatable":false`),
	}, nil
}
