// Command runbooks renders the runbooks of alerts/. It runs in alerts/check, as
// "go generate" there does.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"server-monitor/alerts/check"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "runbooks:", err)
		os.Exit(1)
	}
}

func write() error {
	rules, err := check.ReadRules(check.Folder)
	if err != nil {
		return err
	}
	files, err := check.Render(check.Folder, rules)
	if err != nil {
		return err
	}
	target := filepath.Join(check.Folder, "runbooks")
	if err := os.RemoveAll(filepath.Join(target, "html")); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(target, "html"), 0o755); err != nil { //nolint:gosec // everybody may read runbooks
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(target, name), text, 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return nil
}
