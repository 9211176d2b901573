package killapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// admit turns away what no honest client sends, before anything is looked at:
// a name of the listener that it does not have (DNS rebinding), a page of
// another origin, a token in the address (which servers and browsers keep), a
// query of which a part would be lost.
func (a *API) admit(r *http.Request) error {
	if err := a.admitAddress(r); err != nil {
		return err
	}
	// Readings are held to the rule for changes as well: nobody else's page has
	// any business here, be it only to keep us busy.
	change := *r
	change.Method = http.MethodPost
	if a.origin.Check(&change) != nil {
		return problemOrigin
	}
	return nil
}

// admitAddress is what of admit holds for pages as well, to which pages of other
// origins may link.
func (a *API) admitAddress(r *http.Request) error {
	if !slices.Contains(a.config.Hosts, strings.ToLower(r.Host)) {
		return problemHost
	}
	if strings.Contains(r.URL.Path, tokenPrefix) {
		return problemQueryToken
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	for key, values := range query {
		isToken := func(v string) bool { return strings.Contains(v, tokenPrefix) }
		if isTokenKey(key) || isToken(key) || slices.ContainsFunc(values, isToken) {
			return problemQueryToken
		}
	}
	if err != nil {
		return problemBody.with("The query of the address is malformed.")
	}
	return nil
}

// tokenPrefix begins every token.
const tokenPrefix = "smk_"

// isTokenKey tells the names under which clients pass tokens in addresses.
func isTokenKey(key string) bool {
	return slices.Contains([]string{"token", "access_token", "bearer", "authorization", "api_key", "apikey"}, strings.ToLower(key))
}
