package policy

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

//go:embed catalogue/*.json
var catalogueFiles embed.FS

// Catalogue returns the documents that are embedded in the program. The slice
// is the caller's; what the documents point to is shared.
func Catalogue() []Document { return slices.Clone(readCatalogue()) }

// readCatalogue parses the embedded files once. They are part of the program
// and tested, so what is wrong in them is a defect of the program.
var readCatalogue = sync.OnceValue(func() []Document {
	files, err := catalogueFiles.ReadDir("catalogue")
	if err != nil {
		panic("policy: " + err.Error())
	}
	var all []Document
	for _, file := range files {
		text, err := catalogueFiles.ReadFile("catalogue/" + file.Name())
		if err != nil {
			panic("policy: " + err.Error())
		}
		documents, err := decodeCatalogue(text)
		if err != nil {
			panic(fmt.Sprintf("policy: %s: %v", file.Name(), err))
		}
		all = append(all, documents...)
	}
	for i := range all {
		all[i] = *prepare(&all[i])
	}
	return all
})

// decodeCatalogue reads one array of documents, in which nothing but the fields
// of a document may be.
func decodeCatalogue(text []byte) ([]Document, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var documents []Document
	if err := decoder.Decode(&documents); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one array")
	}
	return documents, nil
}
