package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestGenerated holds the committed files against what would be written now.
func TestGenerated(t *testing.T) {
	files, err := render(filepath.Join("..", "..", "internal", "console", "assets", "font"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s differs: run go generate ./dashboards", name)
		}
	}
	for _, folder := range []string{"", "skinned"} {
		committed, err := filepath.Glob(filepath.Join("..", folder, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range committed {
			if _, ok := files[filepath.Join(folder, filepath.Base(path))]; !ok {
				t.Errorf("%s is not generated any more", path)
			}
		}
	}
}

func TestPixels(t *testing.T) {
	for letter, rows := range glyphs {
		for _, row := range rows {
			if row != "" && len(row) != 5 {
				t.Errorf("the letter %c has a row %q", letter, row)
			}
		}
	}
	if pixels("AB", neon) == pixels("BA", neon) {
		t.Error("different words are drawn alike")
	}
}
