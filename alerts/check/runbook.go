package check

import (
	"bytes"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"

	"github.com/yuin/goldmark"
)

// Sections are what every runbook has, in this order.
var Sections = []string{"What it means", "How to check", "What to do", "False positives"}

// page is what surrounds a runbook; it loads nothing from anywhere.
var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ .Title }}</title>
<style>
body { font-family: sans-serif; line-height: 1.5; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
code { background: #eee; padding: 0 .2rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; }
td, th { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left; vertical-align: top; }
</style>
</head>
<body>
{{ if not .Index }}<p><a href="index.html">All runbooks</a></p>
{{ end }}{{ .Body }}</body>
</html>
`))

// Entry is a line of the index.
type Entry struct{ Name, Severity, Component, Meaning string }

var index = template.Must(template.New("index").Parse(`<h1>Runbooks of server-monitor</h1>
<table>
<tr><th>alert</th><th>severity</th><th>about</th><th>what it means</th></tr>
{{ range . }}<tr><td><a href="{{ .Name }}.html">{{ .Name }}</a></td><td>{{ .Severity }}</td><td>{{ .Component }}</td><td>{{ .Meaning }}</td></tr>
{{ end }}</table>
`))

// Render renders the runbooks of all alerts and their index, by file name below
// alerts/runbooks.
func Render(folder string, rules *Rules) (map[string][]byte, error) {
	files := make(map[string][]byte)
	var entries []Entry
	for _, alert := range rules.Sorted() {
		text, err := os.ReadFile(filepath.Join(folder, "runbooks", alert.Name()+".md"))
		if err != nil {
			return nil, fmt.Errorf("runbook of %s: %w", alert.Name(), err)
		}
		var body bytes.Buffer
		if err := goldmark.Convert(text, &body); err != nil {
			return nil, fmt.Errorf("runbook of %s: %w", alert.Name(), err)
		}
		//nolint:gosec // goldmark leaves no HTML of the text in it
		if files["html/"+alert.Name()+".html"], err = wrap(alert.Name(), template.HTML(body.String()), false); err != nil {
			return nil, err
		}
		entries = append(entries, Entry{alert.Name(), alert.Labels["severity"], alert.Labels["component"], meaning(string(text))})
	}
	var body bytes.Buffer
	err := index.Execute(&body, entries)
	if err != nil {
		return nil, err
	}
	//nolint:gosec // a template has escaped it
	if files["html/index.html"], err = wrap("Runbooks of server-monitor", template.HTML(body.String()), true); err != nil {
		return nil, err
	}
	files["README.md"] = markdownIndex(entries)
	return files, nil
}

func wrap(title string, body template.HTML, isIndex bool) ([]byte, error) {
	var b bytes.Buffer
	err := page.Execute(&b, struct {
		Title string
		Body  template.HTML
		Index bool
	}{title, body, isIndex})
	return b.Bytes(), err
}

// markdownIndex is the index for those who read the repository.
func markdownIndex(entries []Entry) []byte {
	var b bytes.Buffer
	b.WriteString("# Runbooks\n\n<!-- Written by \"go generate\" in alerts/check. -->\n\n" +
		"One page for each alert; [html](html/index.html) holds them rendered, for `prometheus --web.user-assets`.\n\n" +
		"| alert | severity | about | what it means |\n|---|---|---|---|\n")
	for _, e := range entries {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s |\n", e.Name, e.Name, e.Severity, e.Component, strings.ReplaceAll(e.Meaning, "|", `\|`))
	}
	return b.Bytes()
}

// meaning is the first sentence of the first section.
func meaning(text string) string {
	_, rest, _ := strings.Cut(text, "## "+Sections[0]+"\n\n")
	paragraph, _, _ := strings.Cut(rest, "\n")
	if sentence, _, ok := strings.Cut(paragraph, ". "); ok {
		return sentence + "."
	}
	return paragraph
}
