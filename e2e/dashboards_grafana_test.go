//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"server-monitor/e2e/rig"
)

// grafanaCode reads a file of what Grafana uses on dashboards (web/package.json).
func grafanaCode(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("web", "node_modules", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// inScript writes a value as JavaScript.
func inScript(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDashboardsLogQL parses every query to Loki with Grafana's own grammar.
func TestDashboardsLogQL(t *testing.T) {
	page := rig.StartBrowser(t, "en").NewPage(t, 400, 300)
	modules := map[string]string{
		"@lezer/common": grafanaCode(t, "@lezer/common/dist/index.cjs"),
		"@lezer/lr":     grafanaCode(t, "@lezer/lr/dist/index.cjs"),
		"logql":         grafanaCode(t, "@grafana/lezer-logql/index.cjs"),
	}
	page.Evaluate(t, `(() => {
		const texts = `+inScript(t, modules)+`, made = {};
		const load = name => {
			if (!made[name]) {
				const module = made[name] = { exports: {} };
				new Function("module", "exports", "require", texts[name])(module, module.exports, load);
			}
			return made[name].exports;
		};
		window.errorsOf = query => {
			const errors = [];
			load("logql").parser.parse(query).iterate({ enter: node => { if (node.type.isError) errors.push(node.from); } });
			return errors;
		};
	})()`, nil)

	errorsOf := func(query string) (at []int) {
		page.Evaluate(t, "errorsOf("+inScript(t, query)+")", &at)
		return at
	}
	for _, wrong := range []string{`{host=~"a"`, `sum by (level) (rate({host="a"}))`, `{host="a"} | json | = ""`} {
		if len(errorsOf(wrong)) == 0 {
			t.Errorf("the grammar takes %s", wrong)
		}
	}
	asked := 0
	for _, q := range dashboardQueries(t) {
		if q.kind != "loki" {
			continue
		}
		asked++
		query := interpolate(t, q.expr, "demo")
		if at := errorsOf(query); len(at) > 0 {
			t.Errorf("%s: wrong at %v: %s", q.name, at, query)
		}
	}
	if asked < 6 {
		t.Errorf("only %d queries to Loki", asked)
	}
}

// sanitizer is what Grafana 12.4 makes of the content of a text panel
// (sanitizeTextPanelContent of @grafana/data), here as a function.
const sanitizer = `(() => {
	const allowed = {};
	for (const tag of Object.keys(filterXSS.whiteList)) allowed[tag] = filterXSS.whiteList[tag].concat(["class", "style"]);
	const filter = new filterXSS.FilterXSS({ whiteList: allowed, css: { whiteList: filterXSS.getDefaultCSSWhiteList() } });
	window.sanitize = html => filter.process(html);
	// What a browser makes of mark-up: each element with its style and source.
	window.styles = html => {
		const box = document.createElement("div");
		box.innerHTML = html;
		return [...box.querySelectorAll("*")].map(e => e.tagName + " " + e.style.cssText + " " + (e.getAttribute("src") || "")).join("\n");
	};
})()`

// TestDashboardsSanitized checks that text panels lose nothing where Grafana
// sanitizes them, and takes a picture of them.
func TestDashboardsSanitized(t *testing.T) {
	page := rig.StartBrowser(t, "en").NewPage(t, 1200, 900)
	page.Evaluate(t, grafanaCode(t, "xss/dist/xss.min.js"), nil)
	page.Evaluate(t, sanitizer, nil)
	var kept string
	page.Evaluate(t, `styles(sanitize('<div style="position:fixed;color:red"></div>'))`, &kept)
	if strings.Contains(kept, "fixed") || !strings.Contains(kept, "red") {
		t.Fatalf("the sanitizer makes %q of a fixed red box", kept)
	}
	var panels []string
	for _, content := range textPanels(t) {
		var before, after string
		page.Evaluate(t, "styles("+inScript(t, content)+")", &before)
		page.Evaluate(t, "styles(sanitize("+inScript(t, content)+"))", &after)
		if before != after || before == "" {
			t.Errorf("sanitizing changes\n%s\nto\n%s", before, after)
		}
		panels = append(panels, content)
	}
	if len(panels) < 5 {
		t.Errorf("only %d text panels", len(panels))
	}
	page.Evaluate(t, `document.body.style.background = "#111217";
		document.body.innerHTML = `+inScript(t, panels)+`.map(html => '<div style="height:96px;margin:16px">' + sanitize(html) + "</div>").join("")`, nil)
	page.Screenshot(t, filepath.Join("artifacts", "dashboards-text.png"))
}

// textPanels are the contents of all text panels of the plain dashboards.
func textPanels(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(programs.Source, "dashboards", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var contents []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Panels []struct {
				Type    string
				Options struct{ Content string }
			}
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for _, panel := range file.Panels {
			if panel.Type == "text" {
				contents = append(contents, panel.Options.Content)
			}
		}
	}
	return contents
}
