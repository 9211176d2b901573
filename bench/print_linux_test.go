package main

import (
	"strings"
	"testing"
)

func TestGrid(t *testing.T) {
	g := grid{title: "Two rows", heads: []string{"CPU ms", "floors"}}
	g.add("floor", "1.75", "1.00")
	g.add("HTTP scrape", "10.5", "6.00")
	for markdown, want := range map[bool]string{
		true:  "\n**Two rows**\n\n| | CPU ms | floors |\n|---|---:|---:|\n| floor | 1.75 | 1.00 |\n| HTTP scrape | 10.5 | 6.00 |\n",
		false: "\nTwo rows\n\n               CPU ms  floors\n        floor    1.75    1.00\n  HTTP scrape    10.5    6.00\n",
	} {
		var out strings.Builder
		g.print(&out, markdown)
		if out.String() != want {
			t.Errorf("markdown %v:\n%q\nwant\n%q", markdown, out.String(), want)
		}
	}
}

func TestMiddle(t *testing.T) {
	for want, all := range map[float64][]float64{2: {3, 1, 2}, 1: {1}, 4: {4, 1, 3, 9}} {
		if least, middle, most := spread(all); middle != want || least > middle || most < middle {
			t.Errorf("%v: %v, %v, %v", all, least, middle, most)
		}
	}
}
