// Package policycmd is what the commands "server-monitor policy ..." do: each
// writes a table for people or JSON for scripts.
package policycmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
)

// Errors of commands.
var (
	// ErrNoStore says that a command needs a database and none is configured.
	ErrNoStore = errors.New("no database is configured: give --policy.mongodb-uri, --policy.mongodb-uri-file or the environment variable")
	// ErrProblems says that validation found something grave.
	ErrProblems = errors.New("there are malformed documents")
	// ErrNotFound says that there is no such document.
	ErrNotFound = errors.New("there is no such document")
)

// Printer writes what commands have to say.
type Printer struct {
	W        io.Writer
	JSON     bool
	Language language.Language
}

// json writes a value for scripts.
func (p *Printer) json(value any) error {
	encoder := json.NewEncoder(p.W)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// line writes one line for people.
func (p *Printer) line(format string, args ...any) error {
	if _, err := fmt.Fprintf(p.W, format+"\n", args...); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// Load reads the policy that holds for a platform: the catalogue and, where there
// is one, the store over it.
func Load(ctx context.Context, platform policy.Platform, store *mongostore.Store) (*policy.Set, error) {
	contents := policy.Contents{}
	if store != nil {
		entries, err := store.All(ctx)
		if err != nil {
			return nil, err
		}
		rules, err := store.Rules(ctx)
		if err != nil {
			return nil, err
		}
		contents = mongostore.Contents(entries, rules)
	}
	contents.Catalogue = policy.Catalogue()
	return policy.Build(platform, contents), nil
}

// ParseTarget reads "linux/nginx".
func ParseTarget(text string) (policy.Platform, string, error) {
	platform, name, ok := strings.Cut(text, "/")
	if !ok || name == "" || !slices.Contains(policy.Platforms, policy.Platform(platform)) {
		return "", "", fmt.Errorf("%q: want PLATFORM/NAME, as linux/nginx, windows/svchost.exe or common/java", text)
	}
	return policy.Platform(platform), strings.ToLower(name), nil
}
