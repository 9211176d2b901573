package main

import (
	"fmt"
	"os"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v2"
)

// readWebConfig tells what a web configuration, which the toolkit has found to
// be right, turns on.
func readWebConfig(file string) (tls, basic bool, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return false, false, err
	}
	var c web.Config
	if err := yaml.Unmarshal(text, &c); err != nil {
		return false, false, fmt.Errorf("%s: %w", file, err)
	}
	return c.TLSConfig.IsEnabled(), len(c.Users) > 0, nil
}
