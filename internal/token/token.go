// Package token keeps the bearer tokens of the operator listener. A token is
// shown once, when it is made; a file that only its owner may read holds hashes
// alone.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Record is what is kept of a token.
type Record struct {
	// ID names the token in lists and logs. It is no secret.
	ID   string `json:"id"`
	Name string `json:"name"`
	Role Role   `json:"role"`
	// Hash is SHA-256 of the whole token in hexadecimal digits. The token has
	// 256 random bits, so that a slow hash would gain nothing.
	Hash    string    `json:"sha256"`
	Created time.Time `json:"created_at"`
	// Expires is zero for a token that does not.
	Expires time.Time `json:"expires_at,omitzero"`
}

// Expired tells whether the token is too old.
func (r *Record) Expired(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

const (
	// prefix lets tools that search for leaked secrets know a token.
	prefix      = "smk_"
	idBytes     = 4
	secretBytes = 32
	// maxToken bounds what is taken for a token at all.
	maxToken = 128
)

// The reasons why a token is not accepted. Who shows it is told none of them.
var (
	ErrMalformed = errors.New("not in the form of a token")
	ErrUnknown   = errors.New("unknown or revoked token")
	ErrExpired   = errors.New("expired token")
)

// generate makes a token and what is kept of it.
func generate(name string, role Role, now, expires time.Time) (secret string, r Record) {
	id := hex.EncodeToString(random(idBytes))
	secret = prefix + id + "_" + base64.RawURLEncoding.EncodeToString(random(secretBytes))
	return secret, Record{ID: id, Name: name, Role: role, Hash: hash(secret), Created: now.UTC().Truncate(time.Second), Expires: expires}
}

// random are bytes that nobody can guess; [rand.Read] never fails.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// ID returns the id that a token claims, so that a log can name it.
func ID(secret string) (string, error) {
	rest, ok := strings.CutPrefix(secret, prefix)
	id, tail, found := strings.Cut(rest, "_")
	if !ok || !found || len(secret) > maxToken || len(id) != 2*idBytes || !isHex(id) ||
		len(tail) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return "", ErrMalformed
	}
	return id, nil
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

// find looks a token up. It takes as long for an unknown id as for a wrong
// secret: both compare one hash.
func find(records []Record, secret string, now time.Time) (Record, error) {
	id, err := ID(secret)
	if err != nil {
		return Record{}, err
	}
	claimed := Record{Hash: dummyHash}
	for _, r := range records {
		if r.ID == id {
			claimed = r
		}
	}
	same := subtle.ConstantTimeCompare([]byte(hash(secret)), []byte(claimed.Hash)) == 1
	switch {
	case !same || claimed.ID == "":
		return Record{}, fmt.Errorf("%w %s", ErrUnknown, id)
	case claimed.Expired(now):
		return Record{}, fmt.Errorf("%w %s", ErrExpired, id)
	}
	return claimed, nil
}

// dummyHash is the hash of no token.
var dummyHash = strings.Repeat("0", 2*sha256.Size)
