package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCheck(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	if err := check(server.URL); err != nil {
		t.Error(err)
	}
	status = http.StatusServiceUnavailable
	if check(server.URL) == nil {
		t.Error("503 passes")
	}
	server.Close()
	if check(server.URL) == nil {
		t.Error("a closed port passes")
	}
}
