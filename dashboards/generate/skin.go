package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
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

// sheet dresses the page. The attribute of panels is the only hook into
// Grafana's own mark-up; where a version has another, the panels keep theirs.
const sheet = `body, main, .main-view { background-color: #1b1b1b !important;
  background-image: linear-gradient(#2b2b2b 1px, transparent 1px), linear-gradient(90deg, #2b2b2b 1px, transparent 1px) !important;
  background-size: 24px 24px !important; }
.main-view > div, .scrollbar-view, [class*="canvas-wrapper"], [class*="dashboard-canvas"] { background-color: transparent !important; }
body *:not(svg):not(svg *):not(i) { font-family: "Pixel", "Courier New", monospace !important; border-radius: 0 !important; }
section[data-testid^="data-testid Panel header"] { background-color: #111 !important;
  border: 4px solid #00ff99 !important; box-shadow: 8px 8px 0 #000 !important; }
section[data-testid="data-testid Panel header "] { border: 0 !important; box-shadow: none !important; background: transparent !important; }
section[data-testid^="data-testid Panel header"] h2, section[data-testid^="data-testid Panel header"] h6 {
  font-size: 16px !important; letter-spacing: 2px; text-transform: uppercase; }
[role="dialog"], [class*="-modal"] { border: 4px solid #ff5c5c !important; box-shadow: 8px 8px 0 #000 !important; background-color: #111 !important; }
::-webkit-scrollbar { width: 10px; height: 10px; background: #000; }
::-webkit-scrollbar-thumb { background: #00ff99; }
`

// panel is the text panel that holds the style sheet.
func (s *skin) panel() cog.Builder[dashboard.Panel] {
	return block(24, 1, "<style>\n"+s.css+"</style>")
}

// adapt gives panels the room that thick borders take, and moves down what is
// below them.
func (s *skin) adapt(d *dashboard.Dashboard) {
	lines := make(map[uint32]uint32) // where a line of panels began: how far it moves
	var order []uint32
	for _, p := range d.Panels {
		y := p.Panel.GridPos.Y
		if _, seen := lines[y]; !seen {
			lines[y] = 0
			order = append(order, y)
		}
	}
	var moved uint32
	for i, y := range order {
		lines[y] = moved
		if i > 0 {
			moved++
		}
	}
	for i := range d.Panels {
		at := d.Panels[i].Panel.GridPos
		first := at.Y == order[0]
		at.Y += lines[at.Y]
		if !first {
			at.H++
		}
	}
}
