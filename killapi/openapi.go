package killapi

import (
	_ "embed" // the description
	"net/http"

	"server-monitor/internal/token"
)

// description is what the API is, in OpenAPI 3.1. It is written by hand; tests
// hold it against the calls and every answer that they get, so that it is
// neither more nor less than the truth.
//
//go:embed openapi.json
var description []byte

// showDescription answers GET /openapi.json, which everybody may read.
func (*API) showDescription(w http.ResponseWriter, _ *http.Request, _ token.Record) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(description)
	return nil
}
