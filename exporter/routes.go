package main

import (
	"fmt"
	"net/http"

	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
)

// newRoutes puts the pages of the metrics listener together.
func newRoutes(s *serveConfig, metrics *metricsHandler) (http.Handler, error) {
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name:        "server-monitor",
		Description: "What runs on this server, is it dangerous, and why",
		HeaderColor: "#00ff99",
		ExtraCSS:    landingCSS,
		Version:     version.Info(),
		Profiling:   "false",
		Links: []web.LandingLinks{
			{Address: s.telemetryPath, Text: "Metrics", Description: "for Prometheus"},
			{Address: "/-/healthy", Text: "Health", Description: "answers while the program runs"},
			{Address: "/-/ready", Text: "Readiness", Description: "answers once metrics can be served"},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("landing page: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+s.telemetryPath, metrics.instrumented(s))
	mux.HandleFunc("GET /-/healthy", say("Healthy"))
	mux.HandleFunc("GET /-/ready", say("Ready"))
	mux.Handle("GET /{$}", landing)
	return mux, nil
}

// landingCSS gives the landing page the look of a console.
const landingCSS = `
body { background: #111; color: #ddd; font-family: monospace; }
header { color: #111; border-bottom: 4px solid #007a4d; }
a { color: #00ff99; }
`

// say answers with one line.
func say(word string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "server-monitor is %s.\n", word)
	}
}
