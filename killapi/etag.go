package killapi

import (
	"net/http"
	"slices"
	"strings"
)

// entityTag is the ETag of what is in a revision (RFC 9110, section 8.8.3).
func entityTag(revision string) string { return `"` + revision + `"` }

// conditions are what a request asks of the present state of what it changes
// (RFC 9110, section 13.1).
type conditions struct {
	match, noneMatch tagList
}

// tagList is a list of entity tags.
type tagList struct {
	given bool
	any   bool     // "*"
	tags  []string // the strong ones; weak ones match nothing
}

var (
	problemTags      = newProblem(http.StatusBadRequest, "bad-request", "If-Match and If-None-Match must hold * or entity tags in quotes.")
	problemCondition = newProblem(http.StatusPreconditionFailed, "precondition-failed",
		"It is not in the state any more that the request takes it to be in: read it again, and decide anew.")
	problemNoCondition = newProblem(http.StatusPreconditionRequired, "precondition-required",
		"The request must name in If-Match the ETag of what it replaces or deletes, so that nobody's change is lost.")
)

// conditionsOf reads the conditions of a request.
func conditionsOf(h http.Header) (c conditions, err error) {
	if c.match, err = parseTags(h.Values("If-Match")); err != nil {
		return c, err
	}
	c.noneMatch, err = parseTags(h.Values("If-None-Match"))
	return c, err
}

// parseTags reads the values of one of the headers.
func parseTags(values []string) (list tagList, err error) {
	if len(values) == 0 {
		return list, nil
	}
	list.given = true
	rest := strings.TrimSpace(strings.Join(values, ","))
	if rest == "*" {
		list.any = true
		return list, nil
	}
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			return list, nil
		}
		opaque, weak := strings.CutPrefix(rest, "W/")
		tag, behind, ok := strings.Cut(strings.TrimPrefix(opaque, `"`), `"`)
		if !ok || !strings.HasPrefix(opaque, `"`) || strings.ContainsFunc(tag, notInTag) {
			return list, problemTags
		}
		if behind = strings.TrimLeft(behind, " \t"); behind != "" && behind[0] != ',' {
			return list, problemTags
		}
		if !weak {
			list.tags = append(list.tags, tag)
		}
		rest = behind
	}
}

// notInTag tells what an entity tag cannot hold.
func notInTag(r rune) bool { return r <= ' ' || r == 0x7f }

// holds tells whether a revision is among the tags; an empty one is no state at
// all.
func (l tagList) holds(revision string) bool {
	return revision != "" && (l.any || slices.Contains(l.tags, revision))
}
