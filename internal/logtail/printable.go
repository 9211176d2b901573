package logtail

import (
	"strings"

	"server-monitor/internal/process"
)

// printable escapes a line, whose tabs are shown as blanks.
func printable(raw string) string {
	return process.Printable(strings.ReplaceAll(raw, "\t", "    "))
}
