package killapi

import (
	"net/http"
	"slices"
	"strings"
)

// Gate serves pages beside the API, to requests that call the listener by a name
// that it has. A page of another origin may link to them, as dashboards do: what
// they show, they ask the API for, whose gates are closer.
func (a *API) Gate(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(a.config.Hosts, strings.ToLower(r.Host)) {
			setHeaders(w.Header())
			a.answerProblem(w, problemHost)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
