package killapi

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"server-monitor/internal/report"
	"server-monitor/internal/risk"
)

// timeFormat is RFC 3339 with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// page tells which part of a list an answer holds.
type page struct {
	Total  int `json:"total"`
	Offset int `json:"offset"`
	Limit  int `json:"limit"`
}

// The limits of a page.
const (
	defaultLimit = 100
	maxLimit     = 5000
)

// cut is a page of a list.
func cut[T any](list []T, offset, limit int) []T {
	list = list[min(offset, len(list)):]
	return list[:min(limit, len(list))]
}

// processQuery says which processes a list holds, and in which order.
type processQuery struct {
	verdicts      []string
	name, user    string
	text          string
	port          uint16
	order         func(a, b *report.Process) int
	descending    bool
	offset, limit int
}

// processOrders are the keys that processes can be sorted by. Without one the
// most dangerous come first.
var processOrders = map[string]func(a, b *report.Process) int{
	"verdict": func(a, b *report.Process) int { return cmp.Compare(verdictRank(a), verdictRank(b)) },
	"name":    func(a, b *report.Process) int { return cmp.Compare(a.Name, b.Name) },
	"pid":     func(a, b *report.Process) int { return cmp.Compare(a.PID, b.PID) },
	"user":    func(a, b *report.Process) int { return cmp.Compare(a.User, b.User) },
	"cpu":     func(a, b *report.Process) int { return cmp.Compare(a.CPUSeconds, b.CPUSeconds) },
	"memory":  func(a, b *report.Process) int { return cmp.Compare(a.ResidentBytes, b.ResidentBytes) },
	"start":   func(a, b *report.Process) int { return a.StartTime.Compare(b.StartTime) },
}

func verdictRank(p *report.Process) int {
	return slices.IndexFunc(risk.Verdicts, func(v risk.Verdict) bool { return v.String() == p.Verdict })
}

// parseProcessQuery reads the parameters of a list.
func parseProcessQuery(values url.Values) (processQuery, error) {
	q := processQuery{limit: defaultLimit}
	for key := range values {
		if err := q.set(key, values.Get(key)); err != nil {
			return q, err
		}
	}
	return q, nil
}

// set takes one parameter.
func (q *processQuery) set(key, value string) (err error) {
	switch key {
	case "verdict":
		q.verdicts = strings.Split(value, ",")
		for _, v := range q.verdicts {
			if !slices.ContainsFunc(risk.Verdicts, func(known risk.Verdict) bool { return known.String() == v }) {
				return fmt.Errorf("verdict: %q is not safe, caution or danger", v)
			}
		}
	case "name":
		q.name = value
	case "user":
		q.user = value
	case "q":
		q.text = strings.ToLower(value)
	case "port":
		port, err := strconv.ParseUint(value, 10, 16)
		if err != nil || port == 0 {
			return fmt.Errorf("port: %q is not one", value)
		}
		q.port = uint16(port)
	case "sort":
		name, descending := strings.CutPrefix(value, "-")
		q.descending = descending
		if q.order = processOrders[name]; q.order == nil {
			return fmt.Errorf("sort: %q is not verdict, name, pid, user, cpu, memory or start", name)
		}
	case "offset":
		q.offset, err = parsePosition(key, value, 1<<31-1)
	case "limit":
		q.limit, err = parsePosition(key, value, maxLimit)
	}
	return err
}

func parsePosition(key, value string, limit int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > limit {
		return 0, fmt.Errorf("%s: %q is not a number from 0 to %d", key, value, limit)
	}
	return n, nil
}

// choose filters and sorts.
func (q *processQuery) choose(all []report.Process) []report.Process {
	rows := slices.DeleteFunc(all, func(p report.Process) bool { return !q.wants(&p) })
	if q.order != nil {
		slices.SortStableFunc(rows, func(a, b report.Process) int {
			if q.descending {
				return q.order(&b, &a)
			}
			return q.order(&a, &b)
		})
	}
	return rows
}

// wants tells whether a process is in the list.
func (q *processQuery) wants(p *report.Process) bool {
	return (q.verdicts == nil || slices.Contains(q.verdicts, p.Verdict)) &&
		(q.name == "" || strings.EqualFold(p.Name, q.name)) &&
		(q.user == "" || p.User == q.user) &&
		(q.port == 0 || slices.ContainsFunc(p.Listen, func(s report.Socket) bool { return s.Port == q.port })) &&
		(q.text == "" || strings.Contains(strings.ToLower(p.Name+" "+p.Exe+" "+p.User+" "+p.Unit+" "+p.Role+" "+strconv.Itoa(p.PID)), q.text))
}
