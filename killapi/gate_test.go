package killapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGate(t *testing.T) {
	api := New(Config{Hosts: []string{"console.test:10043"}})
	defer api.Close()
	gated := api.Gate(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for _, test := range []struct {
		name, target, host, site string
		want                     int
	}{
		{"by its name", "/", "console.test:10043", "same-origin", http.StatusNoContent},
		{"by its name in capitals", "/", "Console.Test:10043", "", http.StatusNoContent},
		{"from a link of a dashboard", "/", "console.test:10043", "cross-site", http.StatusNoContent},
		{"by another name", "/", "evil.test:10043", "same-origin", http.StatusMisdirectedRequest},
		{"by its name with another port", "/", "console.test", "", http.StatusMisdirectedRequest},
		{"with a token in the query", "/?token=smk_a_b", "console.test:10043", "", http.StatusBadRequest},
		{"with a token in the path", "/console/smk_a_b", "console.test:10043", "", http.StatusBadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, test.target, http.NoBody)
			r.Host = test.host
			if test.site != "" {
				r.Header.Set("Sec-Fetch-Site", test.site)
			}
			w := httptest.NewRecorder()
			gated.ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("status %d, want %d: %s", w.Code, test.want, w.Body)
			}
		})
	}
}
