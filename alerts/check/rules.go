package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/rulefmt"
)

// Folder is alerts/ as seen from this package.
const Folder = ".."

// Alert is an alert rule and where it is.
type Alert struct {
	rulefmt.RuleNode
	File, Group string
}

// Name is that of the alert.
func (a *Alert) Name() string { return a.Alert.Value }

// Rules are all rules of a folder.
type Rules struct {
	Alerts []Alert
	// Records are the recording rules.
	Records []Alert
}

// ReadRules reads the rule files of alerts/ as Prometheus does.
func ReadRules(folder string) (*Rules, error) {
	files, err := filepath.Glob(filepath.Join(folder, "rules", "*.yml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	all := new(Rules)
	for _, file := range files {
		if err := all.read(file); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(all.Alerts) == 0 {
		return nil, fmt.Errorf("no alerts in %s/rules: %w", folder, os.ErrNotExist)
	}
	return all, nil
}

func (r *Rules) read(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	groups, errs := rulefmt.Parse(text)
	if len(errs) > 0 {
		return fmt.Errorf("%w", errs[0])
	}
	for _, group := range groups.Groups {
		for i := range group.Rules {
			rule := Alert{group.Rules[i], filepath.Base(file), group.Name}
			if rule.Alert.Value != "" {
				r.Alerts = append(r.Alerts, rule)
			} else {
				r.Records = append(r.Records, rule)
			}
		}
	}
	return nil
}

// Sorted lists the alerts by name.
func (r *Rules) Sorted() []Alert {
	return slices.SortedFunc(slices.Values(r.Alerts), func(a, b Alert) int { return strings.Compare(a.Name(), b.Name()) })
}
