package service

import (
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Config says which services are looked at.
type Config struct {
	// Include and Exclude choose units by name, with or without ".service".
	// The patterns are anchored by whoever makes them. A nil Include takes all,
	// a nil Exclude leaves out none.
	Include, Exclude *regexp.Regexp
	// Configured are the services that are reported even where they are
	// absent, whatever the patterns say.
	Configured []string
	// Root is where the file system of the machine is mounted, "/" on the
	// machine itself.
	Root string
	// Timeout bounds the wait for systemd, [DefaultTimeout] if 0.
	Timeout time.Duration
}

// DefaultTimeout leaves room for the process table in a scrape of ten seconds.
const DefaultTimeout = 3 * time.Second

// unitSuffix ends the names of the units that are looked at.
const unitSuffix = ".service"

func (c Config) timeout() time.Duration {
	if c.Timeout <= 0 {
		return DefaultTimeout
	}
	return c.Timeout
}

// path is where a file of the machine is reached.
func (c Config) path(name string) string {
	root := c.Root
	if root == "" {
		root = "/"
	}
	return filepath.Join(root, name)
}

// names are the configured services without ".service", each once as it is
// shown.
func (c Config) names() []string {
	var names []string
	shown := make(map[string]bool)
	for _, name := range c.Configured {
		name = strings.TrimSuffix(name, unitSuffix)
		if name != "" && !shown[printable(name)] {
			shown[printable(name)] = true
			names = append(names, name)
		}
	}
	return names
}

// selects tells whether a unit is to be reported; name is without ".service".
func (c Config) selects(name string) bool {
	if c.Include != nil && !matches(c.Include, name) {
		return false
	}
	return c.Exclude == nil || !matches(c.Exclude, name)
}

func matches(pattern *regexp.Regexp, name string) bool {
	return pattern.MatchString(name) || pattern.MatchString(name+unitSuffix)
}
