package killapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"server-monitor/internal/language"
)

// onlyParameters refuses parameters other than those that a call knows, and such
// as are there twice: one that is misspelt must not be taken for absent.
func onlyParameters(r *http.Request, known []string) error {
	for key, values := range r.URL.Query() {
		if len(values) != 1 || !slices.Contains(known, key) {
			return problemBody.with(fmt.Sprintf("The parameter %q is not known, or there twice.", key))
		}
	}
	return nil
}

// parameterLanguage is the name of the parameter that chooses the language of
// the texts in an answer.
const parameterLanguage = "language"

// languageOf is the language of an answer: that of the parameter, else of the
// configuration.
func (a *API) languageOf(values url.Values) (language.Language, error) {
	if !values.Has(parameterLanguage) {
		return a.config.Language, nil
	}
	l, err := language.Parse(values.Get(parameterLanguage))
	if err != nil {
		return "", problemBody.with("The parameter language must be en or ko.")
	}
	return l, nil
}
