package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/text"
)

// skin is the look of the whole page: a style sheet in a text panel, for a
// Grafana with disable_sanitize_html. Any other would print it as text.
type skin struct{ css string }

// newSkin makes the skin with fonts of a folder: one for Latin letters, one
// for Hangul.
func newSkin(fonts string) (*skin, error) {
	var css strings.Builder
	for _, face := range []struct{ file, letters string }{
		{"Galmuri7.woff2", "U+0020-024F, U+2000-206F"},
		{"Galmuri11-Bold.woff2", "U+3131-318E, U+AC00-D7A3"},
	} {
		data, err := os.ReadFile(filepath.Join(fonts, face.file))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&css, "@font-face{font-family:\"Pixel\";src:url(data:font/woff2;base64,%s) format(\"woff2\");unicode-range:%s}\n",
			base64.StdEncoding.EncodeToString(data), face.letters)
	}
	css.WriteString(sheet)
	return &skin{css: css.String()}, nil
}

// sheet dresses the page. Its hooks into Grafana's own mark-up are attributes
// that Grafana's tests use too; where a version has others, the page keeps its
// look. Frames are shadows inside the panels, which take no room from what the
// panels draw.
const sheet = `body, main, .main-view { background-color: #1b1b1b !important;
  background-image: linear-gradient(#2b2b2b 1px, transparent 1px), linear-gradient(90deg, #2b2b2b 1px, transparent 1px) !important;
  background-size: 24px 24px !important; }
.main-view > div, .scrollbar-view, [class*="canvas-wrapper"], [class*="dashboard-canvas"] { background-color: transparent !important; }
body :not(svg, svg *, i, [class*="codicon"], .monaco-editor, .monaco-editor *) { font-family: "Pixel", "Courier New", monospace !important; }
body * { border-radius: 0 !important; scrollbar-color: #00ff99 #000 !important; }
section[data-testid^="data-testid Panel header"] { background-color: #111 !important; border-color: #00ff99 !important;
  box-shadow: inset 0 0 0 3px #00ff99, 8px 8px 0 #000 !important; }
section[data-testid="data-testid Panel header "] { box-shadow: none !important; background: transparent !important; border-color: transparent !important; }
section[data-testid^="data-testid Panel header"] h2, section[data-testid^="data-testid Panel header"] h2 * {
  font-size: 16px !important; letter-spacing: 1px; text-transform: uppercase; }
[role="gridcell"] { font-size: 13px !important; line-height: 19px !important; }
[role="grid"] { --rdg-background-color: #111 !important; --rdg-header-background-color: #111 !important;
  --rdg-row-background-color: #111 !important; --rdg-row-hover-background-color: #1b2b23 !important; --rdg-border-color: #2b2b2b !important; }
section[data-testid$="Log console"] [data-testid="data-testid panel content"],
section[data-testid$=" Lines"] [data-testid="data-testid panel content"],
section[data-testid$="Audit lines"] [data-testid="data-testid panel content"] {
  background: #000 !important; box-shadow: inset 0 0 0 3px #00ff99; margin: 0 12px 12px; }
section[data-testid$="Log console"] [data-testid="data-testid panel content"] *,
section[data-testid$=" Lines"] [data-testid="data-testid panel content"] *,
section[data-testid$="Audit lines"] [data-testid="data-testid panel content"] * {
  font-family: "Courier New", monospace !important; background-color: transparent !important; }
[role="dialog"] { border: 4px solid #ff5c5c !important; box-shadow: 8px 8px 0 #000 !important; background-color: #111 !important; }
`

// wear puts the style sheet into the first panel of a dashboard, its banner,
// which is always in sight when a dashboard opens: Grafana draws panels when
// they are scrolled to.
func (s *skin) wear(d *dashboard.Dashboard) error {
	banner, ok := d.Panels[0].Panel.Options.(*text.Options)
	if !ok {
		return fmt.Errorf("%s begins with no text panel", *d.Title)
	}
	banner.Content = "<style>\n" + s.css + "</style>" + banner.Content
	return nil
}
