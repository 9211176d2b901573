package main

import (
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// completedCommands are the commands that a shell may complete a first word to.
// Kingpin itself offers none where a command is the default, as serve is.
func completedCommands(app *kingpin.Application, args []string) (names []string, ok bool) {
	if len(args) == 0 || len(args) > 2 || args[0] != "--completion-bash" || len(args) == 2 && strings.HasPrefix(args[1], "-") {
		return nil, false
	}
	for _, command := range app.Model().Commands {
		if !command.Hidden {
			names = append(names, command.Name)
		}
	}
	return names, true
}
