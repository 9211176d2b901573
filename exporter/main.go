// Command server-monitor tells what runs on a server, whether it is dangerous,
// and why: as a Prometheus exporter and, with "scan", on the terminal.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// The exit statuses.
const (
	exitOK      = 0
	exitFailed  = 1 // a verdict that --fail-on names was met, or the program could not go on
	exitMisused = 2 // flags or arguments are wrong
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, standardError())) }

// run is main with its surroundings as arguments.
func run(args []string, stdout, stderr io.Writer) int {
	app, config := newApp(stdout, stderr)
	if names, ok := completedCommands(app, args); ok {
		fmt.Fprintln(stdout, strings.Join(names, "\n"))
		return exitOK
	}
	terminated := -1
	app.Terminate(func(status int) { terminated = status })
	command, err := app.Parse(args)
	if terminated >= 0 { // --help and --version
		return terminated
	}
	if err == nil {
		err = config.check(command)
	}
	if err != nil {
		complain(app, stderr, err)
		return exitMisused
	}
	err = config.commands[command](config)
	var status exitStatus
	var misuse misuse
	switch {
	case errors.As(err, &misuse):
		complain(app, stderr, misuse.error)
		return exitMisused
	case errors.As(err, &status):
		return int(status)
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", app.Name, err)
		return exitFailed
	}
	return exitOK
}

// misuse is an error of the command line that shows only when it is used.
type misuse struct{ error }

// exitStatus ends the program without a further word.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// complain prints all that is wrong with the command line, a line each.
func complain(app *kingpin.Application, w io.Writer, err error) {
	problems := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		problems = joined.Unwrap()
	}
	for _, problem := range problems {
		fmt.Fprintf(w, "%s: %v\n", app.Name, problem)
	}
	fmt.Fprintf(w, "Try '%s --help'.\n", app.Name)
}
