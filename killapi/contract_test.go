package killapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is the description of the API, against which every answer in the tests
// of this package is held. What it promises and no test has seen is told in the
// end.
type contract struct {
	document map[string]any
	compiler *jsonschema.Compiler

	mu       sync.Mutex
	schemas  map[string]*jsonschema.Schema
	observed map[string]bool // "GET /path 404 not-found"
}

const contractURL = "openapi.json"

var theContract = readContract()

func readContract() *contract {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(description))
	if err != nil {
		panic(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(contractURL, document); err != nil {
		panic(err)
	}
	return &contract{
		document: document.(map[string]any), compiler: compiler,
		schemas: make(map[string]*jsonschema.Schema), observed: make(map[string]bool),
	}
}

// TestMain tells, where all tests have run, what the description promises in vain.
func TestMain(m *testing.M) {
	status := m.Run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
	if all && status == 0 {
		for _, promise := range theContract.promises() {
			if !theContract.observed[promise] && !slices.Contains(untested, promise) {
				fmt.Printf("openapi.json describes an answer that no test has seen: %s\n", promise)
				status = 1
			}
		}
	}
	os.Exit(status)
}

// at follows keys, and references on the way.
func (c *contract) at(node any, keys ...string) (any, bool) {
	for _, key := range keys {
		members, ok := c.resolve(node).(map[string]any)
		if !ok {
			return nil, false
		}
		if node, ok = members[key]; !ok {
			return nil, false
		}
	}
	return c.resolve(node), true
}

// resolve follows a reference.
func (c *contract) resolve(node any) any {
	members, ok := node.(map[string]any)
	if !ok {
		return node
	}
	reference, ok := members["$ref"].(string)
	if !ok {
		return node
	}
	node, ok = c.at(c.document, strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
	if !ok {
		panic("openapi.json has no " + reference)
	}
	return node
}

// operation is one operation of the description.
type operation struct {
	method, path string
	pointer      string // where it is
	node         map[string]any
}

func (o *operation) String() string { return o.method + " " + o.path }

// operations lists all of them.
func (c *contract) operations() []operation {
	var all []operation
	paths, _ := c.at(c.document, "paths")
	for path, item := range paths.(map[string]any) {
		for method, node := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			pointer := "#/paths/" + strings.ReplaceAll(strings.ReplaceAll(path, "~", "~0"), "/", "~1") + "/" + method
			all = append(all, operation{strings.ToUpper(method), path, pointer, node.(map[string]any)})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// find is the operation that a request is for.
func (c *contract) find(method, path string) (operation, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, o := range c.operations() {
		if o.method == method && matchPath(o.path, path) {
			return o, true
		}
	}
	return operation{}, false
}

func matchPath(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if strings.HasPrefix(want[i], "{") && got[i] != "" {
			continue
		}
		if want[i] != got[i] {
			return false
		}
	}
	// A literal path goes before one with a variable.
	return template != "/api/v1/processes/{pid}" || got[len(got)-1] != ""
}

// parameters are those of an operation and of its path.
func (c *contract) parameters(o *operation) []map[string]any {
	var all []map[string]any
	item, _ := c.at(c.document, "paths", o.path)
	for _, where := range []any{item, o.node} {
		list, _ := where.(map[string]any)["parameters"].([]any)
		for _, p := range list {
			all = append(all, c.resolve(p).(map[string]any))
		}
	}
	return all
}

// schema compiles the schema at a pointer.
func (c *contract) schema(pointer string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.schemas[pointer]; s != nil {
		return s, nil
	}
	s, err := c.compiler.Compile(contractURL + pointer)
	c.schemas[pointer] = s
	return s, err
}

// validate holds JSON against a schema of the description.
func (c *contract) validate(pointer string, text []byte) error {
	s, err := c.schema(pointer)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// promises lists all answers that the description promises.
func (c *contract) promises() []string {
	var all []string
	for _, o := range c.operations() {
		responses, _ := c.at(o.node, "responses")
		for status := range responses.(map[string]any) {
			response, _ := c.at(responses, status)
			events, _ := c.at(response, "content", "text/event-stream", "x-events")
			names, _ := events.(map[string]any)
			for name := range names {
				all = append(all, "event "+o.path+" "+name)
			}
			codes := c.codes(response)
			if status == "default" {
				continue // what nobody expects
			}
			for _, code := range codes {
				all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", o.String(), status, code)))
			}
		}
	}
	slices.Sort(all)
	return all
}

// codes are the codes of a response that is a problem, or one empty code.
func (c *contract) codes(response any) []string {
	list, ok := c.at(response, "content", "application/problem+json", "schema")
	if !ok {
		return []string{""}
	}
	var codes []string
	for _, part := range list.(map[string]any)["allOf"].([]any) {
		if enum, ok := c.at(part, "properties", "code", "enum"); ok {
			for _, code := range enum.([]any) {
				codes = append(codes, code.(string))
			}
		}
	}
	return codes
}

// hold holds an answer against the description, and remembers it.
func (c *contract) hold(t testing.TB, r *http.Request, requestBody string, status int, header http.Header, body string) {
	t.Helper()
	o, ok := c.find(r.Method, r.URL.Path)
	if !ok {
		if status != http.StatusMethodNotAllowed && status != http.StatusNotFound && status < 400 {
			t.Errorf("%s %s is answered with %d, and is not described", r.Method, r.URL.Path, status)
		}
		return
	}
	key := strconv.Itoa(status)
	response, ok := c.at(o.node, "responses", key)
	if !ok && status >= 500 {
		key = "default"
		response, ok = c.at(o.node, "responses", key)
	}
	if !ok {
		t.Errorf("%s: status %d is not described: %s", o.String(), status, body)
		return
	}
	code := c.holdBody(t, &o, key, response, r.Method == http.MethodHead, header, body)
	c.holdHeaders(t, &o, key, response, header)
	if request := "/requestBody/content/application~1json/schema"; status < 400 && requestBody != "" {
		if err := c.validate(o.pointer+request, []byte(requestBody)); err != nil {
			t.Errorf("%s: a body that is taken is not what is described: %s\n%v", o.String(), requestBody, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.observed[strings.TrimSpace(fmt.Sprintf("%s %s %s", o.String(), key, code))] = true
}

// holdBody holds a body against its schema, and returns the code of a problem.
func (c *contract) holdBody(t testing.TB, o *operation, key string, response any, head bool, header http.Header, body string) (code string) {
	t.Helper()
	content, ok := response.(map[string]any)["content"].(map[string]any)
	if !ok || head {
		if body != "" && !head {
			t.Errorf("%s: a body with status %s: %s", o.String(), key, body)
		}
		return ""
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if _, described := content[kind]; err != nil || !described {
		t.Errorf("%s: content type %q with status %s is not described", o.String(), header.Get("Content-Type"), key)
		return ""
	}
	if kind == "text/event-stream" {
		return ""
	}
	pointer := o.pointer + "/responses/" + key
	if reference, ok := o.node["responses"].(map[string]any)[key].(map[string]any)["$ref"].(string); ok {
		pointer = reference
	}
	if err := c.validate(pointer+"/content/"+strings.ReplaceAll(kind, "/", "~1")+"/schema", []byte(body)); err != nil {
		t.Errorf("%s: the answer with status %s is not what is described: %v\n%s", o.String(), key, err, body)
	}
	var p struct{ Code string }
	if kind == "application/problem+json" {
		_ = json.Unmarshal([]byte(body), &p)
	}
	return p.Code
}

// holdHeaders tells headers that are missing.
func (c *contract) holdHeaders(t testing.TB, o *operation, key string, response any, header http.Header) {
	t.Helper()
	headers, _ := c.at(response, "headers")
	promised, _ := headers.(map[string]any)
	for name := range maps.Keys(promised) {
		if header.Get(name) == "" {
			t.Errorf("%s: status %s without %s", o.String(), key, name)
		}
	}
}

// holdEvent holds an event of a stream against the description.
func (c *contract) holdEvent(t testing.TB, path string, e event) {
	t.Helper()
	o, _ := c.find(http.MethodGet, path)
	pointer := o.pointer + "/responses/200/content/text~1event-stream/x-events/" + e.name
	if err := c.validate(pointer, []byte(e.data)); err != nil {
		t.Errorf("%s: event %s is not what is described: %v\n%.2000s", o.String(), e.name, err, e.data)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.observed["event "+path+" "+e.name] = true
}
