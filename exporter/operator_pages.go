package main

import (
	"net/http"

	"server-monitor/internal/console"
	"server-monitor/killapi"
)

// withConsole puts the API and the pages of the operator listener together.
func withConsole(api *killapi.API) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", api)
	mux.Handle("/", api.Gate(console.Handler()))
	return mux
}
