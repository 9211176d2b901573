package check

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// reference is what docs/metrics.md says of labels: the values of each by metric,
// where it lists all that there are. A test of the exporter holds those of
// terminations against what is counted.
func reference(t *testing.T) map[string]map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Folder, "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (.*) \\|$")
	values := make(map[string]map[string][]string)
	for section := range strings.SplitSeq(string(text), "\n## ") {
		listed := make(map[string][]string)
		for _, r := range row.FindAllStringSubmatch(section, -1) {
			if strings.Contains(r[2], "or `") {
				for _, v := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(r[2], -1) {
					listed[r[1]] = append(listed[r[1]], v[1])
				}
			}
		}
		for _, r := range row.FindAllStringSubmatch(section, -1) {
			if strings.HasPrefix(r[1], "server_monitor_") {
				values[r[1]] = listed
			}
		}
	}
	return values
}

// unknownValues are the values that a matcher asks for and the label never has.
func unknownValues(m *labels.Matcher, listed []string) []string {
	asked := []string{m.Value}
	if m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp {
		asked = strings.Split(m.Value, "|")
	}
	return slices.DeleteFunc(asked, func(v string) bool { return slices.Contains(listed, v) })
}

// wrongValues names the label values that an expression asks for and that no
// series has.
func wrongValues(expression string, values map[string]map[string][]string) (wrong []string, checked int, err error) {
	parsed, err := parser.ParseExpr(expression)
	if err != nil {
		return nil, 0, err
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for _, m := range selector.LabelMatchers {
			if listed := values[selector.Name][m.Name]; listed != nil {
				checked++
				for _, v := range unknownValues(m, listed) {
					wrong = append(wrong, fmt.Sprintf("%s{%s=%q}", selector.Name, m.Name, v))
				}
			}
		}
		return nil
	})
	return wrong, checked, nil
}

// TestLabelValuesExist checks that rules ask for values that labels can have: one
// that is misspelt, or that nothing counts, lets an alert never fire.
func TestLabelValuesExist(t *testing.T) {
	values := reference(t)
	rules := readRules(t)
	checked := 0
	for _, rule := range slices.Concat(rules.Alerts, rules.Records) {
		wrong, n, err := wrongValues(rule.Expr.Value, values)
		if err != nil {
			t.Fatal(err)
		}
		if checked += n; len(wrong) > 0 {
			t.Errorf("%s: %s%s asks for %v, which docs/metrics.md does not list", rule.File, rule.Alert.Value, rule.Record.Value, wrong)
		}
	}
	if checked < 10 {
		t.Errorf("only %d matchers were checked", checked)
	}
	wrong, _, err := wrongValues(`server_monitor_termination_requests_total{result=~"killed|outcome_lost", actor!="automaton"}`, values)
	if err != nil || len(wrong) != 2 {
		t.Errorf("of two values that there are not %v are found, %v", wrong, err)
	}
}
