package killapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"server-monitor/internal/token"
)

func TestListProcesses(t *testing.T) {
	a := newTestAPI(t, nil)
	for query, want := range map[string]string{
		"":                      "3: 300 200 100",
		"?sort=pid":             "3: 100 200 300",
		"?sort=-memory":         "3: 300 200 100",
		"?verdict=danger":       "2: 300 200",
		"?verdict=caution":      "1: 100",
		"?verdict=safe,caution": "1: 100",
		"?name=TOOL":            "1: 100",
		"?user=eve&port=27017":  "1: 200",
		"?user=root":            "0:",
		"?q=/tmp":               "1: 300",
		"?sort=pid&limit=1":     "3: 100",
		"?sort=pid&offset=2":    "3: 300",
		"?sort=pid&offset=9":    "3:",
		"?limit=0":              "3:",
	} {
		body := a.want(a.request("GET", "/api/v1/processes"+query, token.Viewer, ""), http.StatusOK, "")
		var page struct {
			Total     int
			Processes []struct{ PID int }
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%d:", page.Total)
		for _, p := range page.Processes {
			got += fmt.Sprintf(" %d", p.PID)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{
		"verdict=evil", "port=0", "port=x", "sort=size", "limit=-1", "limit=5001", "offset=x", "colour=red", "name=a&name=b",
	} {
		a.want(a.request("GET", "/api/v1/processes?"+query, token.Viewer, ""), http.StatusBadRequest, "bad-request")
	}
}

func TestShowProcess(t *testing.T) {
	a := newTestAPI(t, nil)
	body := a.want(a.request("GET", "/api/v1/processes/300", token.Viewer, ""), http.StatusOK, "")
	for _, want := range []string{`"identity":"300-3000-0123abcd"`, `"verdict":"danger"`, `"SUSPICIOUS_PATH"`, `"allowed":true`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	a.want(a.request("GET", "/api/v1/processes/2", token.Viewer, ""), http.StatusNotFound, "not-found")
	a.want(a.request("GET", "/api/v1/processes/9", token.Viewer, ""), http.StatusNotFound, "not-found")
	a.want(a.request("GET", "/api/v1/processes/x", token.Viewer, ""), http.StatusBadRequest, "bad-request")
}

func TestLogs(t *testing.T) {
	a := newTestAPI(t, nil)
	logs := func(query string) *http.Request {
		return a.request("GET", "/api/v1/logs"+query, token.Viewer, "")
	}
	if body := a.want(logs(""), http.StatusOK, ""); strings.TrimSpace(body) != `{"sources":["test"]}` {
		t.Errorf("sources %s", body)
	}
	if body := a.want(logs("?source=test"), http.StatusServiceUnavailable, "log-unavailable"); !strings.Contains(body, "does not exist") {
		t.Errorf("a missing log: %s", body)
	}
	if err := os.WriteFile(a.file.Path+".log", []byte("one\nerror: two\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if body := a.want(logs("?source=test&lines=2"), http.StatusOK, ""); strings.Contains(body, "one") || !strings.Contains(body, `{"level":"error","text":"error: two"}`) {
		t.Errorf("lines %s", body)
	}
	for _, query := range []string{"?source=../../etc/shadow", "?source=/etc/shadow", "?source=nonsense"} {
		a.want(logs(query), http.StatusNotFound, "no-such-source")
	}
	for _, query := range []string{"?source=test&lines=0x10", "?lines=1001", "?path=/etc/shadow", "?source=test&source=test"} {
		a.want(logs(query), http.StatusBadRequest, "bad-request")
	}
}

func TestServices(t *testing.T) {
	a := newTestAPI(t, nil)
	body := a.want(a.request("GET", "/api/v1/services", token.Viewer, ""), http.StatusOK, "")
	if !strings.Contains(body, `"name":"nginx","state":"active"`) || !strings.Contains(body, `"health":"good"`) {
		t.Errorf("services %s", body)
	}
}
