// Command generate writes the dashboards: the plain ones for any Grafana, and
// their skinned copies for the demo stack.
//
// A dashboard is a list of panels from top to bottom. What panels of one kind
// have in common is in panel.go and the files of their kind; queries.go has
// what is asked about in more than one place, style.go the look.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := write(".."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// write puts all dashboards into a folder.
func write(folder string) error {
	files, err := render(filepath.Join(folder, "..", "internal", "console", "assets", "font"))
	if err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// render makes the text of every file, by its path below dashboards/. The
// fonts of the skin are those of the console.
func render(fonts string) (map[string][]byte, error) {
	skinned, err := newSkin(fonts)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for folder, s := range map[string]*skin{"": nil, "skinned": skinned} {
		// A builder gives out what it holds: every dashboard needs its own.
		for _, p := range pages() {
			text, err := marshal(p, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			files[filepath.Join(folder, p.name+".json")] = text
		}
	}
	return files, nil
}

// marshal writes one dashboard as people can read it in a difference.
func marshal(p page, s *skin) ([]byte, error) {
	built, err := p.build(s)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(built); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}
