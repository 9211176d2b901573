package killapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"server-monitor/internal/policy"
	"server-monitor/internal/token"
)

// Policies is the collection of policy documents in the database.
type Policies interface {
	// Hold reads a document, nil where the collection has none.
	Hold(ctx context.Context, platform policy.Platform, name string) (*HeldPolicy, error)
	// Put writes a document over a revision, or where there is none if that is
	// empty, and returns what it wrote.
	Put(ctx context.Context, d *policy.Document, over string) (*HeldPolicy, error)
	// Delete removes a document in a revision. Pending tells that this does not
	// hold on this server yet.
	Delete(ctx context.Context, platform policy.Platform, name, revision string) (pending bool, err error)
}

// HeldPolicy is a document of the collection in one revision.
type HeldPolicy struct {
	// Document is nil where what is there is malformed.
	Document *policy.Document
	Problems []policy.Problem
	Revision string
	// Pending tells that it was written, and does not hold on this server yet.
	Pending bool
}

// The errors of [Policies]; any other says that the database cannot be reached.
var (
	// ErrPolicyRevision says that the document is in another revision.
	ErrPolicyRevision = errors.New("the document is in another revision")
	// ErrPolicyDuplicate says that there is more than one document of a name.
	ErrPolicyDuplicate = errors.New("there is more than one document of this name and platform")
)

var (
	problemNoPolicyStore = newProblem(http.StatusNotImplemented, "no-policy-store",
		"No database of policy is configured (--policy.mongodb-uri); the documents that are embedded in server-monitor cannot be changed.")
	problemNoPolicy = newProblem(http.StatusNotFound, "no-such-policy", "There is no document of this name for this platform.")
	problemEmbedded = newProblem(http.StatusConflict, "embedded",
		"The document is embedded in server-monitor; only one of the database can be deleted.")
	problemDuplicatePolicy = newProblem(http.StatusConflict, "duplicate-policy",
		"The database has more than one document of this name and platform; server-monitor policy delete removes them.")
	problemPolicyStore = newProblem(http.StatusServiceUnavailable, "policy-unavailable",
		"The database of policy cannot be reached; the log of server-monitor says why.")
	problemMalformedPolicy = newProblem(http.StatusUnprocessableEntity, "malformed-policy", "")
)

// policyRow is a document in the answers of the API.
type policyRow struct {
	Source policy.Source `json:"source"`
	// Document is null where that in the database is malformed.
	Document *policy.Document `json:"document"`
	// Problems are what is wrong with it.
	Problems []policy.Problem `json:"problems,omitempty"`
	// Embedded tells of one in the database that server-monitor has an embedded
	// one of this name too: what that forbids, no other lifts.
	Embedded bool `json:"embedded,omitempty"`
	// Pending tells of one that was just written that it does not hold on this
	// server yet.
	Pending bool `json:"pending,omitempty"`

	revision string
}

// policyPage answers GET /policies.
type policyPage struct {
	page
	Version string `json:"version"`
	// Writable tells that there is a database.
	Writable bool        `json:"writable"`
	Policies []policyRow `json:"policies"`
	// Invalid is what is malformed in the database.
	Invalid []policy.Invalid `json:"invalid"`
}

// listPolicies answers GET /policies: the documents that hold now.
func (a *API) listPolicies(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	if a.config.Policy == nil {
		return problemNotOffered
	}
	q, err := parsePolicyQuery(r.URL.Query())
	if err != nil {
		return problemBody.with(err.Error())
	}
	set := a.config.Policy.Current()
	rows := q.choose(set.Documents())
	answerPage := policyPage{
		page:    page{Total: len(rows), Offset: q.offset, Limit: q.limit},
		Version: set.Version(), Writable: a.config.Policies != nil, Policies: []policyRow{},
		Invalid: append([]policy.Invalid{}, set.Invalid()...),
	}
	for _, row := range cut(rows, q.offset, q.limit) {
		answerPage.Policies = append(answerPage.Policies, policyRow{
			Source: row.Source, Document: row.Document,
			Embedded: row.Source != policy.Embedded && embedded(row.Platform, row.Name) != nil,
		})
	}
	return answer(w, http.StatusOK, answerPage)
}

// policyQuery says which documents a list holds, and in which order.
type policyQuery struct {
	platform      policy.Platform
	source        policy.Source
	text          string
	order         func(a, b policy.Listed) int
	descending    bool
	offset, limit int
}

// policyOrders are the keys that documents can be sorted by.
var policyOrders = map[string]func(a, b policy.Listed) int{
	"name":     func(a, b policy.Listed) int { return cmp.Compare(a.Name, b.Name) },
	"platform": func(a, b policy.Listed) int { return cmp.Compare(a.Platform, b.Platform) },
	"category": func(a, b policy.Listed) int { return cmp.Compare(a.Category, b.Category) },
	"updated":  func(a, b policy.Listed) int { return a.UpdatedAt.Compare(b.UpdatedAt) },
}

func parsePolicyQuery(values url.Values) (q policyQuery, err error) {
	q.limit, q.text = defaultLimit, strings.ToLower(values.Get("q"))
	q.platform, q.source = policy.Platform(values.Get("platform")), policy.Source(values.Get("source"))
	if values.Has("platform") && !slices.Contains(policy.Platforms, q.platform) {
		return q, fmt.Errorf("platform: %q is not linux, windows or common", q.platform)
	}
	if values.Has("source") && !slices.Contains(policy.Sources, q.source) {
		return q, fmt.Errorf("source: %q is not mongodb or catalogue", q.source)
	}
	if values.Has("sort") {
		var name string
		name, q.descending = strings.CutPrefix(values.Get("sort"), "-")
		if q.order = policyOrders[name]; q.order == nil {
			return q, fmt.Errorf("sort: %q is not name, platform, category or updated", values.Get("sort"))
		}
	}
	if values.Has("offset") {
		if q.offset, err = parsePosition("offset", values.Get("offset"), 1<<31-1); err != nil {
			return q, err
		}
	}
	if values.Has("limit") {
		q.limit, err = parsePosition("limit", values.Get("limit"), maxLimit)
	}
	return q, err
}

// choose filters and sorts documents, which come ordered by name.
func (q *policyQuery) choose(all []policy.Listed) []policy.Listed {
	rows := slices.DeleteFunc(all, func(d policy.Listed) bool {
		return q.platform != "" && d.Platform != q.platform || q.source != "" && d.Source != q.source ||
			q.text != "" && !strings.Contains(strings.ToLower(d.Name+"\n"+d.Description+"\n"+d.DescriptionI18n["ko"]+"\n"+d.Category), q.text)
	})
	if q.order != nil {
		slices.SortStableFunc(rows, func(a, b policy.Listed) int {
			if q.descending {
				return q.order(b, a)
			}
			return q.order(a, b)
		})
	}
	return rows
}

// showPolicy answers GET /policies/{platform}/{name}.
func (a *API) showPolicy(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	if a.config.Policy == nil {
		return problemNotOffered
	}
	asked, err := conditionsOf(r.Header)
	if err != nil {
		return err
	}
	platform, name, err := policyPath(r)
	if err != nil {
		return err
	}
	row, err := a.policyNow(r.Context(), platform, name)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", entityTag(row.revision))
	if asked.noneMatch.holds(row.revision) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return answer(w, http.StatusOK, row)
}

// policyPath is the document in the path of a call. A name is as policy writes
// it, in lower case.
func policyPath(r *http.Request) (policy.Platform, string, error) {
	platform, name := policy.Platform(r.PathValue("platform")), r.PathValue("name")
	if !slices.Contains(policy.Platforms, platform) || name == "" || name != strings.ToLower(name) {
		return "", "", problemNoPolicy
	}
	return platform, name, nil
}

// policyNow is the document that is there: that of the database, or else the
// embedded one.
func (a *API) policyNow(ctx context.Context, platform policy.Platform, name string) (policyRow, error) {
	inside := embedded(platform, name)
	if a.config.Policies != nil {
		held, err := a.config.Policies.Hold(ctx, platform, name)
		if err != nil {
			return policyRow{}, a.policyProblem(err)
		}
		if held != nil {
			return rowOf(held, inside != nil), nil
		}
	}
	if inside == nil {
		return policyRow{}, problemNoPolicy
	}
	return policyRow{Source: policy.Embedded, Document: inside, revision: embeddedPrefix + inside.Digest()}, nil
}

func rowOf(held *HeldPolicy, embedded bool) policyRow {
	return policyRow{
		Source: policy.MongoDB, Document: held.Document, Problems: held.Problems, Embedded: embedded, Pending: held.Pending,
		revision: held.Revision,
	}
}

// embeddedPrefix begins the revisions of embedded documents.
const embeddedPrefix = "embedded-"

// embedded is the document of the catalogue, nil where that has none.
func embedded(platform policy.Platform, name string) *policy.Document {
	return policy.EmbeddedDocument(platform, name)
}

// policyProblem is the answer to an error of the database.
func (a *API) policyProblem(err error) error {
	switch {
	case errors.Is(err, ErrPolicyRevision):
		return problemCondition
	case errors.Is(err, ErrPolicyDuplicate):
		return problemDuplicatePolicy
	}
	a.config.Logger.Error("policy cannot be read or changed", "err", err)
	return problemPolicyStore
}
