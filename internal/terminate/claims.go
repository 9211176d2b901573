package terminate

import (
	"sync"

	"server-monitor/internal/process"
)

// claims sees to it that one sequence at a time works on a process.
type claims struct {
	mu     sync.Mutex
	holder map[process.Identity]string // the id of the request
}

// take claims a process for a request, unless another has, which it names.
func (c *claims) take(identity process.Identity, id string) (other string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, taken := c.holder[identity]; taken {
		return other, false
	}
	if c.holder == nil {
		c.holder = make(map[process.Identity]string)
	}
	c.holder[identity] = id
	return "", true
}

// drop gives a claim back.
func (c *claims) drop(identity process.Identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.holder, identity)
}

// of gives the request that works on a process.
func (c *claims) of(identity process.Identity) (id string, taken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, taken = c.holder[identity]
	return id, taken
}

// historyLength is how many results are remembered.
const historyLength = 1024

// history remembers the latest requests by their ids.
type history struct {
	mu      sync.Mutex
	results map[string]Result
	order   []string // oldest first
}

// put takes in a result, new or changed.
func (h *history) put(r *Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.results == nil {
		h.results = make(map[string]Result)
	}
	if _, known := h.results[r.ID]; !known {
		h.order = append(h.order, r.ID)
	}
	h.results[r.ID] = *r
	for len(h.order) > historyLength {
		delete(h.results, h.order[0])
		h.order = h.order[1:]
	}
}

func (h *history) get(id string) (Result, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.results[id]
	return r, ok
}
