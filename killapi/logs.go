package killapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"server-monitor/internal/logtail"
	"server-monitor/internal/token"
)

// The number of lines of GET /logs.
const (
	defaultLines = 20
	maxLines     = 1000
)

// listLogs answers GET /logs: without a source, which there are; with one, its
// last lines.
func (a *API) listLogs(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	source, lines, err := parseLogQuery(r)
	if err != nil {
		return err
	}
	if source == "" {
		return answer(w, http.StatusOK, map[string]any{"sources": slices.AppendSeq([]string{}, sorted(a.config.Logs))})
	}
	log, ok := a.config.Logs[source]
	if !ok {
		return problemNoSource
	}
	last, err := log.Last(r.Context(), lines)
	if err != nil {
		a.config.Logger.Warn("log cannot be read", "source", source, "err", err)
		return newProblem(http.StatusServiceUnavailable, "log-unavailable", logtail.Problem(err).In(a.config.Language))
	}
	if last == nil {
		last = []logtail.Line{}
	}
	return answer(w, http.StatusOK, map[string]any{"source": source, "lines": last})
}

var problemNoSource = newProblem(http.StatusNotFound, "no-such-source", "There is no such log; GET /api/v1/logs lists those there are.")

// sorted are the names of the logs in order.
func sorted(logs map[string]logtail.Log) func(yield func(string) bool) {
	return slices.Values(slices.Sorted(maps.Keys(logs)))
}

func parseLogQuery(r *http.Request) (source string, lines int, err error) {
	lines = defaultLines
	for key, values := range r.URL.Query() {
		switch {
		case len(values) == 1 && key == "source":
			source = values[0]
		case len(values) == 1 && key == "lines":
			if lines, err = parsePosition(key, values[0], maxLines); err != nil {
				return "", 0, problemBody.with(err.Error())
			}
		default:
			return "", 0, problemBody.with(fmt.Sprintf("the parameter %q is not known, or there twice", key))
		}
	}
	return source, lines, nil
}
