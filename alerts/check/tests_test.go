package check

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// unit is what of a file of promtool's unit tests matters here.
type unit struct {
	Tests []unitTest `yaml:"tests"`
}

type unitTest struct {
	Name  string `yaml:"name"`
	Input []struct {
		Series string `yaml:"series"`
	} `yaml:"input_series"`
	Expressions []struct {
		Samples []struct {
			Labels string `yaml:"labels"`
		} `yaml:"exp_samples"`
	} `yaml:"promql_expr_test"`
}

// expects tells whether a test expects an alert at any time.
func (u *unitTest) expects(alert string) bool {
	for _, e := range u.Expressions {
		for _, s := range e.Samples {
			if strings.Contains(s.Labels, fmt.Sprintf("alertname=%q", alert)) {
				return true
			}
		}
	}
	return false
}

// TestEveryAlertIsTested checks that promtool, which "make e2e" runs, sees each
// alert fire once, and sees it silent where the metrics that it asks for are
// there.
func TestEveryAlertIsTested(t *testing.T) {
	fires, silent := make(map[string]bool), make(map[string]bool)
	for _, test := range readUnits(t) {
		alert, what, _ := strings.Cut(test.Name, ":")
		switch what = strings.TrimSpace(what); {
		case strings.HasPrefix(what, "fires"):
			fires[alert] = fires[alert] || test.expects(alert)
		case strings.HasPrefix(what, "silent") && !test.expects(alert) && len(test.Expressions) > 0 && len(test.Input) > 0:
			silent[alert] = true
		case strings.HasPrefix(what, "silent"):
			t.Errorf("%q expects the alert, or asks nothing", test.Name)
		}
	}
	for _, a := range readRules(t).Alerts {
		if !fires[a.Name()] {
			t.Errorf("no test lets %s fire", a.Name())
		}
		if !silent[a.Name()] {
			t.Errorf("no test finds %s silent", a.Name())
		}
	}
}

func readUnits(t *testing.T) []unitTest {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(Folder, "tests", "*.test.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []unitTest
	for _, file := range files {
		var u unit
		readYAML(t, file, &u)
		all = append(all, u.Tests...)
	}
	return all
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// inhibition is an inhibition rule of Alertmanager.
type inhibition struct {
	Source []string `yaml:"source_matchers"`
	Target []string `yaml:"target_matchers"`
	Equal  []string `yaml:"equal"`
}

// TestInhibitions checks that they speak of alerts that exist, and that none
// hides another by a detour that leads back to it: both would be hidden.
func TestInhibitions(t *testing.T) {
	var config struct {
		Inhibitions []inhibition `yaml:"inhibit_rules"`
	}
	readYAML(t, filepath.Join(Folder, "alertmanager", "alertmanager.yml"), &config)
	if len(config.Inhibitions) == 0 {
		t.Fatal("there are none")
	}
	var names []string
	for _, a := range readRules(t).Alerts {
		names = append(names, a.Name())
	}
	hides := make(map[string][]string)
	for _, rule := range config.Inhibitions {
		sources, targets := matching(t, names, rule.Source), matching(t, names, rule.Target)
		if !slices.Contains(rule.Equal, "instance") || len(sources) == 0 || len(targets) == 0 {
			t.Errorf("%+v: hides nothing, or on other servers", rule)
		}
		for _, source := range sources {
			hides[source] = append(hides[source], targets...)
		}
	}
	for _, name := range names {
		if path := back(hides, name, name, nil); path != nil {
			t.Errorf("%s hides itself through %v", name, path)
		}
	}
}

var matcher = regexp.MustCompile(`^alertname (=|!=|=~) "?([^"]+?)"?$`)

// matching are the alerts that matchers on their names let through. An equality
// or an alternative that no alert answers to is an error.
func matching(t *testing.T, names, matchers []string) []string {
	t.Helper()
	for _, text := range matchers {
		parts := matcher.FindStringSubmatch(text)
		if parts == nil {
			continue // on another label
		}
		pattern := regexp.MustCompile("^(?:" + parts[2] + ")$")
		checkAlternatives(t, names, parts[2])
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return pattern.MatchString(name) == (parts[1] == "!=") })
	}
	return names
}

var alternatives = regexp.MustCompile(`^(\w+)\(([\w|]+)\)$`)

func checkAlternatives(t *testing.T, names []string, pattern string) {
	t.Helper()
	wanted := []string{pattern}
	if parts := alternatives.FindStringSubmatch(pattern); parts != nil {
		wanted = nil
		for word := range strings.SplitSeq(parts[2], "|") {
			wanted = append(wanted, parts[1]+word)
		}
	}
	for _, name := range wanted {
		if !slices.Contains(names, name) && name != "ServerMonitor.+" {
			t.Errorf("there is no alert %s", name)
		}
	}
}

// back finds a way from an alert to another along what hides what.
func back(hides map[string][]string, from, to string, seen []string) []string {
	for _, next := range hides[from] {
		if next == to {
			return append(seen, next)
		}
		if !slices.Contains(seen, next) {
			if path := back(hides, next, to, append(slices.Clone(seen), next)); path != nil {
				return path
			}
		}
	}
	return nil
}
