package killapi

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"time"

	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

const (
	// keyLife is how long an Idempotency-Key is remembered.
	keyLife = 24 * time.Hour
	// maxKeys bounds how many are remembered, so that nobody fills the memory.
	// A key is refused while there is no room.
	maxKeys      = 10_000
	maxKeyLength = 255
)

// answers remembers the results of requests by their Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header), so that a client that lost an
// answer can ask again without ending anything twice.
type answers struct {
	mu    sync.Mutex
	byKey map[answerKey]*kept
}

// answerKey is the key of one token; two tokens do not share any.
type answerKey struct{ token, key string }

// kept is a request and its result, which may be yet to come.
type kept struct {
	request [sha256.Size]byte
	begun   time.Time
	done    chan struct{}
	result  terminate.Result
	err     error
}

var (
	problemKey      = newProblem(http.StatusBadRequest, "bad-request", "The Idempotency-Key must have 1 to 255 bytes.")
	problemManyKeys = newProblem(http.StatusServiceUnavailable, "too-many-idempotency-keys", "Too many Idempotency-Keys are remembered.")
)

// once makes a termination, or answers with that of an earlier request with the
// same key.
func (a *API) once(w http.ResponseWriter, r *http.Request, who token.Record, body []byte, do func() (terminate.Result, error)) error {
	header, given := r.Header["Idempotency-Key"]
	if !given {
		result, err := do()
		if err != nil {
			return err
		}
		return answerResult(w, &result)
	}
	if len(header) != 1 || header[0] == "" || len(header[0]) > maxKeyLength {
		return problemKey
	}
	request := sha256.Sum256(append([]byte(r.URL.Path+"\n"), body...))
	entry, first, err := a.answers.begin(answerKey{who.ID, header[0]}, request)
	if err != nil {
		return err
	}
	if first {
		func() {
			entry.err = errUnfinished // should it panic
			defer a.answers.end(answerKey{who.ID, header[0]}, entry)
			entry.result, entry.err = do()
		}()
	}
	select {
	case <-entry.done:
	case <-r.Context().Done():
		return r.Context().Err()
	}
	if entry.err != nil {
		return entry.err
	}
	result := entry.result
	if !first && a.config.Terminator != nil { // a pending one may have ended since
		if now, ok := a.config.Terminator.Find(result.ID); ok {
			result = now
		}
	}
	return answerResult(w, &result)
}

// begin finds an earlier request, or notes this one as the first.
func (s *answers) begin(key answerKey, request [sha256.Size]byte) (entry *kept, first bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if known := s.byKey[key]; known != nil && now.Sub(known.begun) < keyLife {
		if known.request != request {
			return nil, false, problemKeyReused
		}
		return known, false, nil
	}
	if len(s.byKey) >= maxKeys {
		s.forget(now)
	}
	if len(s.byKey) >= maxKeys {
		return nil, false, problemManyKeys
	}
	if s.byKey == nil {
		s.byKey = make(map[answerKey]*kept)
	}
	entry = &kept{request: request, begun: now, done: make(chan struct{})}
	s.byKey[key] = entry
	return entry, true, nil
}

var errUnfinished = errors.New("the first request with this Idempotency-Key failed")

// end makes a result known. A request that did nothing may be sent again.
func (s *answers) end(key answerKey, entry *kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry.err != nil || entry.result.Outcome == terminate.Refused && len(entry.result.Sent) == 0 {
		delete(s.byKey, key)
	}
	close(entry.done)
}

// forget drops what is too old.
func (s *answers) forget(now time.Time) {
	for key, entry := range s.byKey {
		if now.Sub(entry.begun) >= keyLife {
			delete(s.byKey, key)
		}
	}
}
