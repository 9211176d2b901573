package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/policy/refresh"
)

// policyConfig says where policy is kept beside the catalogue.
type policyConfig struct {
	uri      string // a secret: it may hold a password
	uriFile  string
	database string
	interval time.Duration
	copyFile string
	required bool
}

// uriVariable holds the connection string where no flag does.
const uriVariable = "SERVER_MONITOR_POLICY_MONGODB_URI"

// addPolicy adds the flags that say where policy is.
func (c *config) addPolicy(app *kingpin.Application) {
	p := &c.policy
	app.Flag("policy.mongodb-uri", "Connection string of the MongoDB that holds policy. Other users see the command line: where it has a "+
		"password, use --policy.mongodb-uri-file or the environment variable "+uriVariable+".").
		PlaceHolder("URI").StringVar(&p.uri)
	app.Flag("policy.mongodb-uri-file", "File that holds the connection string, and nothing else.").
		PlaceHolder("FILE").StringVar(&p.uriFile)
	app.Flag("policy.mongodb-database", "Database that holds policy.").Default(mongostore.DefaultDatabase).StringVar(&p.database)
	checked(&c.problems, app.Flag("policy.refresh-interval", "How often policy is read again where the server tells no changes.").
		Default(refresh.DefaultInterval.String()), &p.interval, parseInterval)
	app.Flag("policy.copy-file", "File that keeps the last good copy of policy, for the time when the database is away.").
		PlaceHolder("FILE").StringVar(&p.copyFile)
	app.Flag("policy.required", "Refuse terminations whenever policy cannot be read from the database at that moment.").
		BoolVar(&p.required)
}

// parseInterval reads an interval that no server minds.
func parseInterval(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second {
		return 0, fmt.Errorf("%q is not a duration of at least 1s", text)
	}
	return d, nil
}

// check finds the connection string.
func (p *policyConfig) check(problems *problems) {
	if p.uri != "" && p.uriFile != "" {
		problems.add(errors.New("--policy.mongodb-uri and --policy.mongodb-uri-file cannot be used together"))
		return
	}
	if p.uriFile != "" {
		uri, err := mongostore.ReadURI(p.uriFile)
		if err != nil {
			problems.add(fmt.Errorf("--policy.mongodb-uri-file: %w", err))
		}
		p.uri = uri
	} else if p.uri == "" {
		p.uri = os.Getenv(uriVariable)
	}
	if p.uri == "" && p.required {
		problems.add(errors.New("--policy.required: no database is configured"))
	}
	if p.uri != "" {
		if err := mongostore.Check(p.store()); err != nil {
			problems.add(fmt.Errorf("policy: %w", err))
		}
	}
}

// store is the configuration of the store.
func (p *policyConfig) store() mongostore.Config {
	return mongostore.Config{URI: p.uri, Database: p.database}
}

// open makes the store, nil where none is configured.
func (p *policyConfig) open() (*mongostore.Store, error) {
	if p.uri == "" {
		return nil, nil
	}
	store, err := mongostore.Open(p.store())
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return store, nil
}
