package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"net/url"
	"runtime/debug"
	"time"
)

// bom is a software bill of materials in the form of CycloneDX 1.6
// (cyclonedx.org/docs/1.6/json).
type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type license struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// sbomOf lists what a Go program was linked from, as the program itself says
// ("go version -m"): modules with their hashes, and the Go release.
func sbomOf(program, version string, date time.Time) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	var apache license
	apache.License.ID = "Apache-2.0"
	own := component{
		Ref: "server-monitor", Type: "application", Name: "server-monitor", Version: version, Licenses: []license{apache},
	}
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "CGO_ENABLED" {
			own.Properties = append(own.Properties, property{"go:build:" + s.Key, s.Value})
		}
	}
	b := bom{
		Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata:   metadata{date.Format(time.RFC3339), own},
		Components: []component{moduleOf("std", info.GoVersion, "")},
	}
	for _, m := range info.Deps {
		b.Components = append(b.Components, componentOf(m))
	}
	all := dependency{Ref: own.Ref}
	for _, c := range b.Components {
		all.DependsOn = append(all.DependsOn, c.Ref)
	}
	b.Dependencies = []dependency{all}
	text, err := json.MarshalIndent(&b, "", "  ")
	return append(text, '\n'), err
}

// componentOf describes what was linked for a module, which may be a
// replacement.
func componentOf(m *debug.Module) component {
	for m.Replace != nil {
		m = m.Replace
	}
	return moduleOf(m.Path, m.Version, m.Sum)
}

// moduleOf describes a module. Its purl is that of the type golang
// (github.com/package-url/purl-spec).
func moduleOf(path, version, sum string) component {
	c := component{Type: "library", Name: path, Version: version, PURL: "pkg:golang/" + path + "@" + url.PathEscape(version)}
	c.Ref = c.PURL
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	return c
}
