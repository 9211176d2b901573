package killapi

import (
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
	l, err := a.languageOf(r.URL.Query())
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
		return problemNoLog.with(logtail.Problem(err).In(l))
	}
	if last == nil {
		last = []logtail.Line{}
	}
	return answer(w, http.StatusOK, map[string]any{"source": source, "lines": last})
}

var problemNoLog = newProblem(http.StatusServiceUnavailable, "log-unavailable", "")

var problemNoSource = newProblem(http.StatusNotFound, "no-such-source", "There is no such log; GET /api/v1/logs lists those there are.")

// sorted are the names of the logs in order.
func sorted(logs map[string]logtail.Log) func(yield func(string) bool) {
	return slices.Values(slices.Sorted(maps.Keys(logs)))
}

// parseLogQuery reads the parameters of GET /logs.
func parseLogQuery(r *http.Request) (source string, lines int, err error) {
	values := r.URL.Query()
	lines = defaultLines
	if values.Has("lines") {
		if lines, err = parsePosition("lines", values.Get("lines"), maxLines); err != nil {
			return "", 0, problemBody.with(err.Error())
		}
	}
	return values.Get("source"), lines, nil
}
