// Package dashboards holds the dashboards for Grafana as classic JSON: *.json
// for any Grafana, skinned/*.json for one that does not sanitize text panels.
// They are written by the module in generate/, which is where to change them.
package dashboards

//go:generate go run -C generate .
