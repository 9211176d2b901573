//go:build !linux

package proctest

import "testing"

// folder makes the folder of a fixture, which goes away with the test.
func folder(tb testing.TB) string {
	tb.Helper()
	return tb.TempDir()
}
