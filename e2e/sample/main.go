// Command sample shows server-monitor something to see: each of its commands
// makes it a process that bears one warning, or none. The end-to-end tests and
// the demo stack run it.
package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// longest is how long a sample lives that nobody ends, so that a test that
// dies leaves nothing behind for good.
const longest = 15 * time.Minute

// commands are what the sample can be. Each prepares itself and returns; main
// then says "ready" and waits.
var commands = map[string]func(args []string) error{
	"listen": listen,
	"hog":    hog,
	"delete": deleteSelf,
	"sleep":  func([]string) error { return nil },
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		os.Exit(1)
	}
}

// run becomes what the arguments say and stays that until the time is over.
func run(args []string, out io.Writer) error {
	names := strings.Join(slices.Sorted(maps.Keys(commands)), ", ")
	if len(args) == 0 {
		return fmt.Errorf("say one of %s", names)
	}
	command, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("no command %q, but %s", args[0], names)
	}
	if err := command(args[1:]); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	fmt.Fprintln(out, "ready", os.Getpid())
	time.Sleep(longest)
	return nil
}
