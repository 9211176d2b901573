// Package check looks at the rules, runbooks and tests of alerts/ without any
// program of Prometheus, and renders the runbooks.
//
// It parses rules with the parser of Prometheus 2.42, the oldest that they must
// load into (Debian 12 has it), so that nothing newer gets in.
package check

//go:generate go run ./cmd/runbooks
