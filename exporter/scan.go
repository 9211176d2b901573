package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/term"

	"server-monitor/internal/report"
	"server-monitor/internal/risk"
)

// scanConfig is what the command scan can be told.
type scanConfig struct {
	output   string
	color    string
	verdicts []string
	failOn   string
}

func (c *config) addScan(app *kingpin.Application) {
	s := &c.scan
	command := app.Command("scan", "Print the processes of this moment with their verdicts, danger first. "+
		"Exits with 1 where --fail-on is met and with 2 where the command line is wrong.")
	c.commands["scan"] = scan
	checked(&c.problems, command.Flag("output", "Form of the output: table or json.").Short('o').
		Default("table"), &s.output, parseChoice("table", "json"))
	checked(&c.problems, command.Flag("color", "Colours in the table: auto (on a terminal, unless NO_COLOR is set), always or never.").
		Default("auto"), &s.color, parseChoice("auto", "always", "never"))
	checked(&c.problems, command.Flag("verdict", "Verdicts to print, separated by commas: safe, caution, danger.").
		Default("safe,caution,danger"), &s.verdicts, parseVerdicts)
	checked(&c.problems, command.Flag("fail-on", "Exit with 1 where a process has this verdict or a worse one: none, caution or danger.").
		Default("none"), &s.failOn, parseChoice("none", "caution", "danger"))
}

// parseChoice reads one of several words.
func parseChoice(words ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		if !slices.Contains(words, text) {
			named := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
			return "", fmt.Errorf("%q is not one of %s", text, strings.Join(named, ", "))
		}
		return text, nil
	}
}

// parseVerdicts reads a list of verdicts.
func parseVerdicts(text string) ([]string, error) {
	verdicts := strings.Split(text, ",")
	for _, v := range verdicts {
		if !slices.ContainsFunc(risk.Verdicts, func(known risk.Verdict) bool { return known.String() == v }) {
			return nil, fmt.Errorf("%q is not safe, caution or danger", v)
		}
	}
	return verdicts, nil
}

// scan prints one assessment.
func scan(c *config) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	runtime.GOMAXPROCS(c.maxProcs)
	logger := c.logger()
	parts, err := assemble(c, logger)
	if err != nil {
		return err
	}
	defer parts.close()
	state := parts.policy.settle(ctx, logger)
	taken, err := parts.keeper.Take(ctx)
	if err != nil {
		return err
	}
	all := report.New(taken, c.language)
	all.PolicyState = state
	if err := c.print(all); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if c.scan.isMet(all.Verdicts) {
		return exitStatus(exitFailed)
	}
	return nil
}

// print writes the wanted rows in the wanted form.
func (c *config) print(all *report.Report) error {
	shown := *all
	shown.Processes = slices.DeleteFunc(slices.Clone(all.Processes), func(p report.Process) bool {
		return !slices.Contains(c.scan.verdicts, p.Verdict)
	})
	if c.scan.output == "json" {
		encoder := json.NewEncoder(c.stdout)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(&shown)
	}
	style := report.Plain
	if c.scan.color == "always" || c.scan.color == "auto" && c.onTerminal() {
		style = report.Coloured
	}
	return report.WriteTable(c.stdout, &shown, c.language, style)
}

// onTerminal tells whether a person is likely to read the output, and likes
// colours (no-color.org).
func (c *config) onTerminal() bool {
	f, ok := c.stdout.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}

// isMet tells whether the counted verdicts call for a failure.
func (s *scanConfig) isMet(verdicts map[string]int) bool {
	switch s.failOn {
	case "danger":
		return verdicts["danger"] > 0
	case "caution":
		return verdicts["danger"]+verdicts["caution"] > 0
	}
	return false
}
