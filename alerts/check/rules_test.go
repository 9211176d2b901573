package check

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

func readRules(t *testing.T) *Rules {
	t.Helper()
	rules, err := ReadRules(Folder)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// languages are the endings of the texts of an alert, English and Korean.
var languages = []string{"", "_ko"}

func TestAlertsSayWhatIsNeeded(t *testing.T) {
	seen := make(map[string]bool)
	for _, a := range readRules(t).Alerts {
		t.Run(a.Name(), func(t *testing.T) {
			if seen[a.Name()] || !strings.HasPrefix(a.Name(), "ServerMonitor") {
				t.Error("the name is used twice, or does not begin with ServerMonitor")
			}
			seen[a.Name()] = true
			if s := a.Labels["severity"]; !slices.Contains([]string{"critical", "warning", "info"}, s) {
				t.Errorf("severity %q", s)
			}
			if a.Labels["component"] == "" {
				t.Error("no component")
			}
			if a.For < 0 || time.Duration(a.For) > 2*time.Hour {
				t.Errorf("for %v", time.Duration(a.For))
			}
			checkTexts(t, &a)
			checkLinks(t, &a)
		})
	}
}

// checkTexts checks that summary and description name the server, and the
// process or service where the alert is about one.
func checkTexts(t *testing.T, a *Alert) {
	t.Helper()
	subject := map[string]string{"process": "pid", "automation": "pid", "service": "name"}[a.Labels["component"]]
	if a.Name() == "ServerMonitorManyUnknownProcesses" || a.Name() == "ServerMonitorServiceManagerAway" {
		subject = ""
	}
	for _, language := range languages {
		summary, description := a.Annotations["summary"+language], a.Annotations["description"+language]
		if len(summary) < 20 || len(summary) > 160 || strings.ContainsAny(summary, "\n") {
			t.Errorf("summary%s: %q", language, summary)
		}
		if len(description) < 80 || strings.Contains(description, "  ") {
			t.Errorf("description%s: %q", language, description)
		}
		for name, text := range map[string]string{"summary": summary, "description": description} {
			if !strings.Contains(text, "$labels.instance") {
				t.Errorf("%s%s does not name the server", name, language)
			}
		}
		if subject != "" && !strings.Contains(summary+description, "$labels."+subject) {
			t.Errorf("neither text%s names the %s", language, subject)
		}
	}
	if !regexp.MustCompile(`[가-힣]`).MatchString(a.Annotations["summary_ko"]) {
		t.Error("summary_ko is not Korean")
	}
}

// checkLinks checks where the links lead.
func checkLinks(t *testing.T, a *Alert) {
	t.Helper()
	if url := a.Annotations["runbook_url"]; !strings.HasSuffix(url, "/"+a.Name()+".html") || !strings.Contains(url, "$externalURL") {
		t.Errorf("runbook_url %q", url)
	}
	uid := dashboard.FindStringSubmatch(a.Annotations["dashboard"])
	if uid == nil {
		t.Fatalf("dashboard %q", a.Annotations["dashboard"])
	}
	if known := dashboardUIDs(t); len(known) > 0 && !slices.Contains(known, uid[1]) {
		t.Errorf("no dashboard has the uid %s; there are %v", uid[1], known)
	}
}

var (
	dashboard = regexp.MustCompile(`/d/([a-z-]+)\?var-(?:instance|job)=\{\{ urlquery`)
	uidField  = regexp.MustCompile(`(?m)^  "uid": "([^"]+)"`)
)

// dashboardUIDs are those of the generated dashboards beside alerts/.
func dashboardUIDs(t *testing.T) []string {
	t.Helper()
	var uids []string
	root := filepath.Join(Folder, "..", "dashboards")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" || entry.IsDir() {
			return nil //nolint:nilerr // a distribution may have alerts/ alone
		}
		text, err := os.ReadFile(path)
		if uid := uidField.FindSubmatch(text); uid != nil {
			uids = append(uids, string(uid[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return uids
}

// level:metric:operations, with the name of a metric of server-monitor.
var recordName = regexp.MustCompile(`^(instance|mountpoint|pid|job):server_monitor_[a-z0-9_]+:[a-z0-9_]+$`)

func TestRecordNames(t *testing.T) {
	for _, r := range readRules(t).Records {
		if !recordName.MatchString(r.Record.Value) {
			t.Errorf("%s: want level:metric:operation", r.Record.Value)
		}
	}
}

// foreign are metrics that server-monitor's collectors do not define.
var foreign = []string{"up", "scrape_duration_seconds", "server_monitor_exporter_build_info"}

// TestMetricsExist checks that rules ask for metrics that are published, or
// that another rule records.
func TestMetricsExist(t *testing.T) {
	reference, err := os.ReadFile(filepath.Join(Folder, "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	rules := readRules(t)
	known := slices.Clone(foreign)
	for _, r := range rules.Records {
		known = append(known, r.Record.Value)
	}
	for _, rule := range slices.Concat(rules.Alerts, rules.Records) {
		for _, name := range metricsOf(t, rule.Expr.Value) {
			if !slices.Contains(known, name) && !strings.Contains(string(reference), "`"+name+"`") {
				t.Errorf("%s: %s%s asks for %s, which is not in docs/metrics.md", rule.File, rule.Alert.Value, rule.Record.Value, name)
			}
		}
	}
}

func metricsOf(t *testing.T, expression string) []string {
	t.Helper()
	parsed, err := parser.ParseExpr(expression)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			names = append(names, selector.Name)
		}
		return nil
	})
	return names
}
