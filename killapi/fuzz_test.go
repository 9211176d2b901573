package killapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"server-monitor/internal/token"
)

// FuzzAuthorization shows headers to the API. None but the very token is taken.
func FuzzAuthorization(f *testing.F) {
	for _, header := range []string{"", "Bearer", "Bearer ", "bearer x", "Basic YTpi", "Bearer smk_00000000_" + strings.Repeat("A", 43), "Bearer\tx", "Bearer x\x00"} {
		f.Add(header)
	}
	memory := new(token.Memory)
	secret, _ := memory.Create("fuzz", token.Admin)
	f.Fuzz(func(t *testing.T, header string) {
		a := newTestAPI(t, func(c *Config) { c.Tokens = memory })
		r := a.request("GET", "/api/v1/audit", "", "")
		r.Header["Authorization"] = []string{header}
		status, _, _ := a.do(r)
		if status != http.StatusUnauthorized && !strings.Contains(header, secret) {
			t.Errorf("%q is answered with %d", header, status)
		}
	})
}

// FuzzHost names the listener. None but its own names is taken, whatever its case.
func FuzzHost(f *testing.F) {
	for _, host := range []string{testHost, "127.0.0.1", "localhost:10043", "127.0.0.1:10043.", "127.0.0.1:10043@evil", "[::1]:10043", ""} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		a := newTestAPI(t, nil)
		r := a.request("GET", "/api/v1/services", token.Viewer, "")
		r.Host = host
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != strings.EqualFold(host, testHost) {
			t.Errorf("%q is answered with %d", host, w.Code)
		}
	})
}

// FuzzQuery asks for a list. What is no query is refused, never a failure.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{"verdict=danger", "sort=-memory&limit=1", "port=99999", "verdict=%zz", "a;b", "limit=1&limit=2", "q=\x00"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		a := newTestAPI(t, nil)
		r := a.request("GET", "/api/v1/processes", token.Viewer, "")
		r.URL.RawQuery = query
		if status, _, body := a.do(r); status != http.StatusOK && status != http.StatusBadRequest {
			t.Errorf("%q is answered with %d %s", query, status, body)
		}
	})
}
