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
	"slices"
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

// decodeExact reads a JSON object into a struct whose fields have plain names.
// encoding/json alone takes "PID" for "pid" and lets the last of several win,
// so that two programs may read two requests in one body.
func decodeExact(text []byte, into any) error {
	if err := decodeLoose(text, into, fieldNames(into)); err != nil {
		return problemBody.with("The body is not what the call wants: " + err.Error() + ".")
	}
	return nil
}

// decodeLoose reads a JSON object that may have keys beside those of into; where
// names are given, it may not. No object in it has a key twice, in whatever
// case.
func decodeLoose(text []byte, into any, names []string) error {
	if !utf8.Valid(text) {
		return errors.New("it is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := checkValue(decoder, names, 0); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows behind its end")
	}
	if err := json.Unmarshal(text, into); err != nil {
		return plainError(err)
	}
	return nil
}

// plainError says what is wrong without the names of Go types.
func plainError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%q must not be a %s", wrong.Field, wrong.Value)
	}
	return errors.New("it is not valid JSON")
}

// fieldNames are the keys of the fields of a struct.
func fieldNames(into any) []string {
	names := []string{}
	for field := range reflect.TypeOf(into).Elem().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// maxDepth bounds how deep a body is nested.
const maxDepth = 16

// checkValue walks over a value. names are the keys that an object may have,
// nil for any.
func checkValue(d *json.Decoder, names []string, depth int) error {
	if depth > maxDepth {
		return errors.New("it is nested too deep")
	}
	t, err := d.Token()
	if err != nil {
		return errors.New("it is not valid JSON")
	}
	delim, ok := t.(json.Delim)
	if !ok {
		if depth == 0 {
			return errors.New("it is not an object")
		}
		return nil
	}
	if depth == 0 && delim != '{' {
		return errors.New("it is not an object")
	}
	seen := make(map[string]bool)
	for d.More() {
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return errors.New("it is not valid JSON")
			}
			name, _ := key.(string)
			if names != nil && !slices.Contains(names, name) {
				return fmt.Errorf("%q is not known", name)
			}
			if seen[strings.ToLower(name)] {
				return fmt.Errorf("%q is there twice", name)
			}
			seen[strings.ToLower(name)] = true
		}
		if err := checkValue(d, nil, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errors.New("it is not valid JSON")
	}
	return nil
}
