package main

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/text"
)

// The colours of the console.
const (
	neon    = "#00ff99"
	good    = "#2ee67a"
	caution = "#f5c518"
	danger  = "#ff5c5c"
	plain   = "#e6e6e6"
	dim     = "#a8a8a8"
)

// box is the style of banners: only what Grafana's sanitizer of text panels
// lets through.
const box = "box-sizing:border-box;height:100%;padding:10px 16px;border:4px solid " + neon + ";" +
	"box-shadow:6px 6px 0 #000;background-color:#1b1b1b;" +
	"background-image:linear-gradient(#2b2b2b 1px,transparent 1px),linear-gradient(90deg,#2b2b2b 1px,transparent 1px);" +
	"background-size:24px 24px;font-family:'Courier New',monospace"

// banner is the heading of a dashboard: its name in pixels and what it is for.
func banner(title, subtitle string) cog.Builder[dashboard.Panel] {
	return block(24, 3, fmt.Sprintf(`<div style="%s"><img alt="%s" src="%s" height="28">`+
		`<div style="margin-top:6px;color:%s;font-size:14px;text-shadow:2px 2px 0 #000">%s</div></div>`,
		box, title, pixels(title, neon), dim, subtitle))
}

// block is a text panel without a frame of its own.
func block(width, height uint32, html string) cog.Builder[dashboard.Panel] {
	return text.NewPanelBuilder().Title("").Transparent(true).Span(width).Height(height).
		Mode(text.TextModeHTML).Content(html)
}

// pixels draws words in capitals as an image of squares with a hard shadow.
func pixels(words, color string) string {
	var path strings.Builder
	x := 0
	for _, letter := range strings.ToUpper(words) {
		for y, row := range glyphs[letter] {
			for i, dot := range row {
				if dot == '#' {
					fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+i, y)
				}
			}
		}
		x += 6
	}
	// Half a dot of shadow to the right and below.
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d 8" width="%d" height="32" shape-rendering="crispEdges">`+
		`<path transform="translate(.5 .5)" d="%[3]s"/><path fill="%[4]s" d="%[3]s"/></svg>`, x, x*4, path.String(), color)
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(svg))
}
