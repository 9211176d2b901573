//go:build e2e

package rig

import (
	"slices"
	"strings"
	"testing"
)

// TestParseScrape checks that what no scrape may hold is noticed.
func TestParseScrape(t *testing.T) {
	const head = "# HELP a_total What it means.\n# TYPE a_total counter\n"
	for name, test := range map[string]struct{ text, problem string }{
		"good":         {head + "a_total{x=\"1\"} 1\na_total{x=\"2\"} 1\n", ""},
		"twice":        {head + "a_total{x=\"1\",y=\"\\n\"} 1\na_total{y=\"\\n\",x=\"1\"} 2\n", "twice"},
		"other labels": {head + "a_total{x=\"1\"} 1\na_total{y=\"1\"} 1\n", "labels"},
		"no help":      {"# TYPE a_total counter\na_total 1\n", "no help"},
		"second type":  {head + "a_total 1\n# TYPE a_total gauge\n", "TYPE"},
		"no text":      {head + "a_total{x=\"1} 1\n", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			scrape, err := ParseScrape(test.text)
			switch {
			case test.problem == "" && err != nil:
				t.Error(err)
			case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
				t.Errorf("error %v, want one about %q", err, test.problem)
			case test.problem == "" && !slices.Equal(scrape.Signatures("a_"), []string{"a_total counter x"}):
				t.Errorf("signatures %q", scrape.Signatures("a_"))
			}
		})
	}
}
