package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"server-monitor/internal/risk"
)

// The parts of the files that rules are about, read as Grafana reads them.
type file struct {
	UID, Title, Description, Refresh string
	Tags                             []string
	SchemaVersion                    int
	Panels                           []filePanel
	Links                            []struct{ Type, URL string }
	Templating                       struct{ List []fileVariable }
}

type fileVariable struct{ Type, Name, Label, Description string }

type filePanel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               fileSource
	Targets                  []fileTarget
	FieldConfig              struct {
		Defaults  fileField
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	Options         struct{ Content, Mode string }
	Transformations []struct {
		ID      string
		Options struct{ RenameByName map[string]string }
	}
}

type fileSource struct{ Type, UID string }

type fileTarget struct {
	RefID, Expr string
	Datasource  fileSource
}

type fileField struct {
	Unit, NoValue string
	Thresholds    struct{ Steps []any }
	Links         []struct{ URL string }
}

// readFiles reads all dashboards of a folder below dashboards/.
func readFiles(t *testing.T, folder string) map[string]file {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", folder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dashboards in %q (%v)", folder, err)
	}
	files := make(map[string]file)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]any
		var f file
		if err := json.Unmarshal(text, &keys); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		// Provisioning takes a file with this key for the second schema, and refuses it.
		if _, ok := keys["elements"]; ok {
			t.Errorf("%s has the key elements", path)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".json")] = f
	}
	return files
}

// both runs a check on the plain and on the skinned dashboards.
func both(t *testing.T, check func(t *testing.T, name string, f file)) {
	for _, folder := range []string{"", "skinned"} {
		for name, f := range readFiles(t, folder) {
			t.Run(filepath.Join(folder, name), func(t *testing.T) { check(t, name, f) })
		}
	}
}

func TestDashboards(t *testing.T) {
	if got := len(readFiles(t, "")); got != 5 {
		t.Errorf("%d dashboards, want 5", got)
	}
	both(t, func(t *testing.T, name string, f file) {
		if f.UID != "server-monitor-"+name || f.Title == "" || f.Description == "" || !slices.Equal(f.Tags, []string{tag}) {
			t.Errorf("uid %q, title %q, description %q, tags %q", f.UID, f.Title, f.Description, f.Tags)
		}
		if f.SchemaVersion != 42 {
			t.Errorf("schema version %d", f.SchemaVersion)
		}
		if every, err := time.ParseDuration(f.Refresh); err != nil || every < 30*time.Second {
			t.Errorf("refresh %q", f.Refresh)
		}
		var names []string
		for _, v := range f.Templating.List {
			names = append(names, v.Name)
			if v.Label == "" || v.Description == "" {
				t.Errorf("variable %s has no label or description", v.Name)
			}
		}
		for _, want := range []string{"datasource", "loki_datasource", "job", "instance", "console"} {
			if !slices.Contains(names, want) {
				t.Errorf("no variable %s", want)
			}
		}
		if len(f.Links) != 2 || f.Links[0].Type != "dashboards" || f.Links[1].URL != "$console/" {
			t.Errorf("links %v", f.Links)
		}
	})
}

// builtIn are the kinds of panels that every Grafana has.
var builtIn = []string{"text", "stat", "bargauge", "table", "timeseries", "status-history", "state-timeline", "logs"}

func TestPanels(t *testing.T) {
	both(t, func(t *testing.T, _ string, f file) {
		ids := map[int]bool{}
		for _, p := range f.Panels {
			if ids[p.ID] || p.ID == 0 {
				t.Errorf("%q: id %d is used twice", p.Title, p.ID)
			}
			ids[p.ID] = true
			if !slices.Contains(builtIn, p.Type) {
				t.Errorf("%q is a %s", p.Title, p.Type)
			}
			if p.Type != "text" {
				lintPanel(t, p)
			}
		}
		lintLayout(t, f.Panels)
	})
}

func lintPanel(t *testing.T, p filePanel) {
	t.Helper()
	d := p.FieldConfig.Defaults
	if p.Title == "" || p.Description == "" || d.Unit == "" || d.NoValue == "" || len(d.Thresholds.Steps) == 0 {
		t.Errorf("panel %d %q lacks a title, description, unit, text for no data or thresholds", p.ID, p.Title)
	}
	// Text that looks like a number is one to every other unit.
	if p.Type == "table" && d.Unit != "string" {
		t.Errorf("%q rounds pids", p.Title)
	}
	lintSource(t, p.Title, p.Datasource)
	if len(p.Targets) == 0 {
		t.Errorf("%q asks for nothing", p.Title)
	}
	refs := map[string]bool{}
	for _, target := range p.Targets {
		lintSource(t, p.Title, target.Datasource)
		if target.Datasource != p.Datasource || refs[target.RefID] || target.RefID == "" {
			t.Errorf("%q: query %q has another source or a name used before", p.Title, target.RefID)
		}
		refs[target.RefID] = true
		lintQuery(t, p.Title, target)
	}
}

func lintSource(t *testing.T, title string, s fileSource) {
	t.Helper()
	if s != (fileSource{"prometheus", "${datasource}"}) && s != (fileSource{"loki", "${loki_datasource}"}) {
		t.Errorf("%q asks %v, not a variable", title, s)
	}
}

var (
	selectors = regexp.MustCompile(`\{[^{}$]*(?:\$[^{}]*)?\}`)
	fixedRate = regexp.MustCompile(`\[[0-9]+[smhd]`)
)

// lintQuery checks that every selector is narrowed by the variables, and that
// no interval is fixed.
func lintQuery(t *testing.T, title string, target fileTarget) {
	t.Helper()
	needs := []string{`job=~"$job"`, `"$instance"`}
	if target.Datasource.Type == "loki" {
		needs = []string{`host=~"$host"`}
	}
	found := selectors.FindAllString(target.Expr, -1)
	if len(found) == 0 {
		t.Errorf("%q: no selector in %s", title, target.Expr)
	}
	for _, selector := range found {
		for _, need := range needs {
			if !strings.HasPrefix(selector, "{console") && !strings.Contains(selector, need) {
				t.Errorf("%q: %s does not select by %s", title, selector, need)
			}
		}
	}
	if fixedRate.MatchString(target.Expr) {
		t.Errorf("%q: a fixed interval in %s", title, target.Expr)
	}
}

// lintLayout checks that panels lie beside each other and within the grid.
func lintLayout(t *testing.T, panels []filePanel) {
	t.Helper()
	for i, p := range panels {
		a := p.GridPos
		if a.W < 3 || a.H < 1 || a.X+a.W > 24 {
			t.Errorf("%q lies at %v", p.Title, a)
		}
		for _, other := range panels[i+1:] {
			b := other.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%q %v and %q %v overlap", p.Title, a, other.Title, b)
			}
		}
	}
}

var (
	linkTarget = regexp.MustCompile(`^/d/(server-monitor-[a-z]+)\?`)
	linkField  = regexp.MustCompile(`\$\{__data\.fields\.([A-Za-z]+)\}`)
	linkVar    = regexp.MustCompile(`var-([a-z]+)=|\$\{([a-z]+):queryparam\}`)
)

// TestLinks checks that links lead to dashboards, variables and columns that
// there are.
func TestLinks(t *testing.T) {
	files := readFiles(t, "")
	for name, f := range files {
		for _, p := range f.Panels {
			for _, url := range urls(p) {
				if linkTarget.MatchString(url) {
					lintTarget(t, files, url)
				} else if !strings.HasPrefix(url, "${__data.fields.Console}/#/process/") {
					t.Errorf("%s: %q links to %s", name, p.Title, url)
				}
				for _, field := range linkField.FindAllStringSubmatch(url, -1) {
					if !hasColumn(p, field[1]) {
						t.Errorf("%s: %q has no column %s", name, p.Title, field[1])
					}
				}
			}
		}
	}
}

// lintTarget checks the dashboard that a link leads to and what it is given.
func lintTarget(t *testing.T, files map[string]file, url string) {
	t.Helper()
	target, ok := files[strings.TrimPrefix(linkTarget.FindStringSubmatch(url)[1], "server-monitor-")]
	if !ok {
		t.Errorf("no dashboard for %s", url)
		return
	}
	for _, found := range linkVar.FindAllStringSubmatch(url, -1) {
		if !slices.ContainsFunc(target.Templating.List, func(v fileVariable) bool { return v.Name == found[1]+found[2] }) {
			t.Errorf("%s: %s has no variable %s", url, target.UID, found[1]+found[2])
		}
	}
}

// urls are the links of a panel and of its columns.
func urls(p filePanel) []string {
	var list []string
	for _, l := range p.FieldConfig.Defaults.Links {
		list = append(list, l.URL)
	}
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if links, ok := property.Value.([]any); ok && property.ID == "links" {
				for _, l := range links {
					list = append(list, fmt.Sprint(l.(map[string]any)["url"]))
				}
			}
		}
	}
	return list
}

func hasColumn(p filePanel, title string) bool {
	for _, transformation := range p.Transformations {
		for _, renamed := range transformation.Options.RenameByName {
			if renamed == title {
				return true
			}
		}
	}
	return false
}

// TestColumns checks that what is set for a column is for one that there is.
func TestColumns(t *testing.T) {
	both(t, func(t *testing.T, _ string, f file) {
		for _, p := range f.Panels {
			for _, o := range p.FieldConfig.Overrides {
				if p.Type == "table" && (o.Matcher.ID != "byName" || !hasColumn(p, o.Matcher.Options)) {
					t.Errorf("%q has no column %q", p.Title, o.Matcher.Options)
				}
			}
		}
	})
}

// passing are the properties that Grafana's sanitizer leaves in the style of a
// text panel, as far as we use them (xss.getDefaultCSSWhiteList).
var passing = []string{
	"background-color", "background-image", "background-size", "border", "border-bottom", "box-shadow", "box-sizing",
	"color", "font-family", "font-size", "height", "margin-top", "padding", "text-shadow",
}

var styles = regexp.MustCompile(`style="([^"]*)"`)

// TestText checks that plain dashboards look right where text panels are
// sanitized, and that only the skinned ones bring a style sheet.
func TestText(t *testing.T) {
	for _, folder := range []string{"", "skinned"} {
		for name, f := range readFiles(t, folder) {
			sheets := 0
			for _, p := range f.Panels {
				if strings.Contains(p.Options.Content, "<style") {
					sheets++
					continue
				}
				lintText(t, name, p.Options.Content)
			}
			if want := map[string]int{"": 0, "skinned": 1}[folder]; sheets != want {
				t.Errorf("%s/%s has %d style sheets, want %d", folder, name, sheets, want)
			}
		}
	}
}

func lintText(t *testing.T, name, html string) {
	t.Helper()
	for _, forbidden := range []string{"<script", "<iframe", "javascript:", "http://", "https://", "url("} {
		if strings.Contains(html, forbidden) {
			t.Errorf("%s: %s in a text panel", name, forbidden)
		}
	}
	for _, style := range styles.FindAllStringSubmatch(html, -1) {
		for rule := range strings.SplitSeq(style[1], ";") {
			property, _, _ := strings.Cut(rule, ":")
			if !slices.Contains(passing, property) {
				t.Errorf("%s: the sanitizer takes %q away", name, property)
			}
		}
	}
}

func TestAdvice(t *testing.T) {
	for _, code := range risk.Codes {
		if advice[code] == "" {
			t.Errorf("no advice on %s", code)
		}
	}
}
