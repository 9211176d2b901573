package report

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// align puts cells into columns by the width that they have on a terminal.
// Columns of figures are aligned to the right.
func align(rows [][]string) []string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], displayWidth(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			padding := strings.Repeat(" ", widths[i]-displayWidth(cell))
			if isFigure(i) {
				cell = padding + cell
			} else {
				cell += padding
			}
			line.WriteString(cell + "  ")
		}
		lines[n] = strings.TrimRight(line.String(), " ")
	}
	return lines
}

// isFigure tells the columns of pid, processor and memory.
func isFigure(column int) bool { return column == 1 || column == 3 || column == 4 }

// displayWidth is how many cells of a terminal a text takes: two for each wide
// character (Unicode Standard Annex #11), none for marks.
func displayWidth(text string) int {
	cells := 0
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			cells += 2
		default:
			cells++
		}
	}
	return cells
}
