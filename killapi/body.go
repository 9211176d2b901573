package killapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"
)

// maxBody bounds a body.
const maxBody = 64 << 10

// readBody reads the JSON body of a request, whole and once.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, problemContentType
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, problemTooLarge
	case err != nil:
		return nil, problemBody.with("The body could not be read.")
	}
	return text, nil
}

// decodeExact reads a JSON object into a struct. encoding/json alone takes "PID"
// for "pid", lets the last of several win and null stand for false, so that two
// programs may read two requests in one body.
func decodeExact(text []byte, into any) error {
	if err := decode(text, into, false); err != nil {
		return problemBody.with("The body is not what the call wants: " + err.Error() + ".")
	}
	return nil
}

// decode reads a JSON object as decodeExact does. Where it is loose, objects may
// have keys beside those of their structs.
func decode(text []byte, into any, loose bool) error {
	if !utf8.Valid(text) {
		return errors.New("it is not UTF-8")
	}
	c := checker{json.NewDecoder(bytes.NewReader(text)), loose}
	c.UseNumber()
	if err := c.value(reflect.TypeOf(into).Elem(), 0); err != nil {
		return err
	}
	if _, err := c.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows behind its end")
	}
	if err := json.Unmarshal(text, into); err != nil {
		return plainError(err)
	}
	return nil
}

// plainError says what is wrong without the names of Go types.
func plainError(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%q must not be a %s", wrong.Field, wrong.Value)
	}
	return errNoJSON
}

var errNoJSON = errors.New("it is not valid JSON")

// maxDepth bounds how deep a body is nested.
const maxDepth = 16

// checker walks over a text together with the type that it is to be read into.
type checker struct {
	*json.Decoder
	loose bool
}

// value checks the next value. Its type is nil where nothing is known of it.
func (c *checker) value(t reflect.Type, depth int) error {
	if depth > maxDepth {
		return errors.New("it is nested too deep")
	}
	next, err := c.Token()
	switch {
	case err != nil:
		return errNoJSON
	case next == json.Delim('{'):
		return c.object(t, depth)
	case depth == 0:
		return errors.New("it is not an object")
	case next == json.Delim('['):
		return c.array(t, depth)
	case next == nil && t != nil:
		return errors.New("null is no value")
	}
	return nil
}

// array checks the rest of an array.
func (c *checker) array(t reflect.Type, depth int) error {
	var element reflect.Type
	if t != nil && t.Kind() == reflect.Slice {
		element = t.Elem()
	}
	for c.More() {
		if err := c.value(element, depth+1); err != nil {
			return err
		}
	}
	return c.end()
}

// object checks the rest of an object.
func (c *checker) object(t reflect.Type, depth int) error {
	seen := make(map[string]bool)
	for c.More() {
		next, err := c.Token()
		name, ok := next.(string)
		if err != nil || !ok {
			return errNoJSON
		}
		if seen[name] {
			return fmt.Errorf("%q is there twice", name)
		}
		seen[name] = true
		member, err := c.member(t, name)
		if err != nil {
			return err
		}
		if err := c.value(member, depth+1); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	return c.end()
}

// end takes the end of an array or object.
func (c *checker) end() error {
	if _, err := c.Token(); err != nil {
		return errNoJSON
	}
	return nil
}

// member is the type of what an object of type t has under a name.
func (c *checker) member(t reflect.Type, name string) (reflect.Type, error) {
	switch {
	case t == nil:
		return nil, nil
	case t.Kind() == reflect.Map:
		return t.Elem(), nil
	case t.Kind() != reflect.Struct:
		return nil, nil
	}
	for field := range t.Fields() {
		known, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case !field.IsExported() || known == "-":
		case known == name:
			return field.Type, nil
		case strings.EqualFold(known, name):
			return nil, fmt.Errorf("%q is to be written %q", name, known)
		}
	}
	if !c.loose {
		return nil, fmt.Errorf("%q is not known", name)
	}
	return nil, nil
}
