package killapi

import (
	"net/http"
	"slices"
	"strings"
)

// admit turns away what no honest client sends, before anything is looked at:
// a name of the listener that it does not have (DNS rebinding), a page of
// another origin, a token in the address (which servers and browsers keep).
func (a *API) admit(r *http.Request) error {
	if !slices.Contains(a.config.Hosts, strings.ToLower(r.Host)) {
		return problemHost
	}
	if a.origin.Check(r) != nil {
		return problemOrigin
	}
	for key, values := range r.URL.Query() {
		if isTokenKey(key) || slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(v, "smk_") }) {
			return problemQueryToken
		}
	}
	return nil
}

// isTokenKey tells the names under which clients pass tokens in addresses.
func isTokenKey(key string) bool {
	return slices.Contains([]string{"token", "access_token", "bearer", "authorization", "api_key", "apikey"}, strings.ToLower(key))
}
