package killapi

import "net/http"

// Gate serves pages beside the API, to requests that call the listener by a name
// that it has. Pages of other origins may link to them, as dashboards do: what
// they show, they ask the API for, whose gates are closer.
func (a *API) Gate(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.admitAddress(r); err != nil {
			setHeaders(w.Header())
			a.answerProblem(w, err)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
