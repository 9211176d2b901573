//go:build e2e

package rig

import (
	"encoding/json"
	"fmt"
)

// Rule is a rule that Prometheus evaluates.
type Rule struct {
	Name, Query, Type, Health, LastError string
}

// Rules asks for all rules and how they fare (/api/v1/rules).
func (p *Prometheus) Rules() ([]Rule, error) {
	response, err := p.client.Get(p.url + "/api/v1/rules")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Data struct{ Groups []struct{ Rules []Rule } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("rules: %s: %w", response.Status, err)
	}
	var rules []Rule
	for _, group := range answer.Data.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules, nil
}
