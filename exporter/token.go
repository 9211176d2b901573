package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"server-monitor/internal/token"
)

// tokenConfig is what the commands below token can be told.
type tokenConfig struct {
	name    string
	role    token.Role
	expires time.Duration
	id      string
}

var errNoTokenFile = errors.New("--operator.token-file: name the file of the tokens")

// addToken adds the commands that manage tokens.
func (c *config) addToken(app *kingpin.Application) {
	t := new(tokenConfig)
	command := app.Command("token", "Manage the tokens of the operator listener.")

	create := command.Command("create", "Make a token and print it, once: only its hash is kept.")
	create.Flag("name", "Who or what the token is for.").Required().StringVar(&t.name)
	checked(&c.problems, create.Flag("role", "What it may do: viewer, operator, admin or automation.").Required(), &t.role, token.ParseRole)
	checked(&c.problems, create.Flag("expires", "How long it is good for, such as 720h; for ever without it.").
		Default("0s"), &t.expires, parseDuration)
	c.commands[create.FullCommand()] = func(c *config) error { return c.createToken(t) }

	list := command.Command("list", "List the tokens.")
	c.commands[list.FullCommand()] = (*config).listTokens

	revoke := command.Command("revoke", "Make a token invalid at once.")
	revoke.Arg("id", "Id of the token, as list shows it.").Required().StringVar(&t.id)
	c.commands[revoke.FullCommand()] = func(c *config) error { return c.revokeToken(t) }
}

func (c *config) createToken(t *tokenConfig) error {
	if c.tokenFile == "" {
		return errNoTokenFile
	}
	if err := os.MkdirAll(filepath.Dir(c.tokenFile), 0o700); err != nil {
		return fmt.Errorf("--operator.token-file: %w", err)
	}
	var expires time.Time
	if t.expires > 0 {
		expires = time.Now().Add(t.expires).UTC().Truncate(time.Second)
	}
	secret, _, err := token.File{Path: c.tokenFile}.Create(t.name, t.role, expires)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.stdout, secret)
	return err
}

func (c *config) listTokens() error {
	if c.tokenFile == "" {
		return errNoTokenFile
	}
	records, err := token.File{Path: c.tokenFile}.Load()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tROLE\tCREATED\tEXPIRES")
	for _, r := range records {
		expires := "never"
		switch {
		case r.Expired(time.Now()):
			expires = "expired"
		case !r.Expires.IsZero():
			expires = r.Expires.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.Name, r.Role, r.Created.Format(time.RFC3339), expires)
	}
	return table.Flush()
}

func (c *config) revokeToken(t *tokenConfig) error {
	if c.tokenFile == "" {
		return errNoTokenFile
	}
	return token.File{Path: c.tokenFile}.Revoke(t.id)
}
