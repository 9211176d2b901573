package policycmd

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"server-monitor/internal/process"
)

// table writes rows in columns of equal width; the first row is the heading.
// Cells are made safe to show.
func (p *Printer) table(rows [][]string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i := range row {
			row[i] = process.Printable(row[i])
			widths[i] = max(widths[i], cells(row[i]))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-cells(cell)+2))
		}
		if err := p.line("%s", strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// cells is how many cells of a terminal a text takes: two for each wide
// character (Unicode Standard Annex #11), none for marks.
func cells(text string) int {
	n := 0
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
