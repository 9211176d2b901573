package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"server-monitor/internal/ownfile"
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
		Default(forEver), &t.expires, parseExpires)
	c.commands[create.FullCommand()] = func(c *config) error { return c.createToken(t) }

	list := command.Command("list", "List the tokens.")
	c.commands[list.FullCommand()] = (*config).listTokens

	revoke := command.Command("revoke", "Make a token invalid at once.")
	revoke.Arg("id", "Id of the token, as list shows it.").Required().StringVar(&t.id)
	c.commands[revoke.FullCommand()] = func(c *config) error { return c.revokeToken(t) }
}

// forEver is the life of a token for which none is given.
const forEver = "forever"

// parseExpires reads the life of a token. One of nothing is a mistake, such as a
// variable that is not set, and must not make a token that never ends.
func parseExpires(text string) (time.Duration, error) {
	if text == forEver {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration such as 720h; leave --expires out for a token without an end", text)
	}
	return d, nil
}

// managedTokens is the file that the commands manage: the one that the flag
// names or, where there is such a thing, the usual one.
func (c *config) managedTokens() (token.File, error) {
	if c.tokenFile != "" {
		return token.File{Path: c.tokenFile}, nil
	}
	usual, err := usualTokenFile()
	if err == nil && usual == "" {
		err = misuse{errNoTokenFile}
	}
	return token.File{Path: usual}, err
}

func (c *config) createToken(t *tokenConfig) error {
	file, err := c.managedTokens()
	if err != nil {
		return err
	}
	if err := ownfile.MakeFolder(filepath.Dir(file.Path)); err != nil {
		return fmt.Errorf("--operator.token-file: %w", err)
	}
	var expires time.Time
	if t.expires > 0 {
		expires = time.Now().Add(t.expires).UTC().Truncate(time.Second)
	}
	secret, _, err := file.Create(t.name, t.role, expires)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.stdout, secret)
	return err
}

func (c *config) listTokens() error {
	file, err := c.managedTokens()
	if err != nil {
		return err
	}
	records, err := file.Load()
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
	file, err := c.managedTokens()
	if err != nil {
		return err
	}
	return file.Revoke(t.id)
}
