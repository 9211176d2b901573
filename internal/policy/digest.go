package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// digest is a short hash of what a document or rule says.
type digest [16]byte

// digestOf hashes a document without its dates: the same words are the same
// policy, whenever they were written.
func digestOf(d *Document) digest {
	plain := *d
	plain.CreatedAt, plain.UpdatedAt = time.Time{}, time.Time{}
	return digestJSON(&plain)
}

// digestJSON hashes the JSON of a value, whose maps encoding/json sorts.
func digestJSON(value any) digest {
	text, err := json.Marshal(value)
	if err != nil {
		panic("policy: " + err.Error()) // strings, bools and numbers always have a JSON
	}
	sum := sha256.Sum256(text)
	return digest(sum[:16])
}

// Digest names the content of a document without its dates.
func (d *Document) Digest() string {
	if d.prepared != nil {
		return hex.EncodeToString(d.prepared.digest[:])
	}
	sum := digestOf(d)
	return hex.EncodeToString(sum[:])
}

// versionOf names a collection of digests, whatever their order and however
// often one occurs.
func versionOf(digests []digest) string {
	slices.SortFunc(digests, func(a, b digest) int { return slices.Compare(a[:], b[:]) })
	hash := sha256.New()
	for _, d := range slices.Compact(digests) {
		hash.Write(d[:])
	}
	return hex.EncodeToString(hash.Sum(nil)[:6])
}
