//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"server-monitor/e2e/rig"
)

// programs are the built programs under test.
var programs *rig.Rig

// update writes golden files anew.
var update = flag.Bool("update", false, "write golden files anew")

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	flag.Parse()
	var err error
	if programs, err = rig.New(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	status := m.Run()
	if err := programs.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		status = 1
	}
	return status
}
