package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// grid is a table with names in its first column and numbers in the others.
type grid struct {
	title string
	heads []string // without the first, which is empty
	rows  [][]string
}

func (g *grid) add(name string, numbers ...string) {
	g.rows = append(g.rows, append([]string{name}, numbers...))
}

// print writes the table for a terminal, or as Markdown.
func (g *grid) print(out io.Writer, markdown bool) {
	if markdown {
		fmt.Fprintf(out, "\n**%s**\n\n| | %s |\n|---|%s\n", g.title, strings.Join(g.heads, " | "), strings.Repeat("---:|", len(g.heads)))
		for _, row := range g.rows {
			fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
		}
		return
	}
	fmt.Fprintf(out, "\n%s\n\n", g.title)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\t%s\t\n", strings.Join(g.heads, "\t"))
	for _, row := range g.rows {
		fmt.Fprintf(w, "%s\t\n", strings.Join(row, "\t"))
	}
	w.Flush()
}
