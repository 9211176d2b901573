// Command docgen writes docs/metrics.md, the reference of all metrics, from
// the definitions that the collectors publish by.
package main

import (
	"fmt"
	"os"

	"server-monitor/collector"
)

//go:generate go run . ../../docs/metrics.md

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%d arguments, want the file to write", len(args))
	}
	text, err := document(collector.Definitions())
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], text, 0o644)
}
