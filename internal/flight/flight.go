// Package flight shares work: who asks for something while it is being made is
// given that same one, so that ten scrapes at once cost as much as one.
package flight

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Flight makes a T when somebody asks for it, one at a time. The zero value is
// ready, and safe for concurrent use.
type Flight[T any] struct {
	mu      sync.Mutex
	current *Call[T]
}

// Call is one making of a T, over or under way.
type Call[T any] struct {
	began, ended time.Time
	done         chan struct{}
	// value and err may be read once done is closed.
	value T
	err   error
}

// Do makes a T, or joins one that is being made. Where ctx ends first, it returns
// the cause, and the making goes on for the others, at most for limit.
//
// Where ctx has a memory, a T that was begun under it is given again: one request
// sees one T, however many parts of it ask and whenever.
func (f *Flight[T]) Do(ctx context.Context, limit time.Duration, produce func(context.Context) (T, error)) (T, error) {
	if ctx.Err() != nil {
		var none T
		return none, context.Cause(ctx)
	}
	return f.Begin(ctx, limit, produce).Wait(ctx)
}

// Begin is [Flight.Do] without the wait.
func (f *Flight[T]) Begin(ctx context.Context, limit time.Duration, produce func(context.Context) (T, error)) *Call[T] {
	memory := memoryOf(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := memory.get(f).(*Call[T]); ok {
		return known
	}
	if f.current == nil {
		f.current = &Call[T]{began: time.Now(), done: make(chan struct{})}
		go f.run(context.WithoutCancel(ctx), f.current, limit, produce)
	}
	memory.put(f, f.current)
	return f.current
}

// run makes the T. A panic, which would end the program, fails this one alone:
// what is read was chosen by anybody who may start a process.
func (f *Flight[T]) run(ctx context.Context, call *Call[T], limit time.Duration, produce func(context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			call.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		call.ended = time.Now()
		f.mu.Lock()
		f.current = nil
		f.mu.Unlock()
		close(call.done)
	}()
	call.value, call.err = produce(ctx)
}

// Wait waits for the end of the call, or that of ctx, and then returns its cause.
func (c *Call[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-c.done:
		return c.value, c.err
	default: // what is there counts, even where ctx has ended too
	}
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// Took tells how long the call took, or has taken so far.
func (c *Call[T]) Took() time.Duration {
	select {
	case <-c.done:
		return c.ended.Sub(c.began)
	default:
		return time.Since(c.began)
	}
}

// memory holds the calls of one request by their flight.
type memory struct {
	mu    sync.Mutex
	calls map[any]any
}

type memoryKey struct{}

// Remember gives a context a memory of what is made under it. It is for the time
// of one request: what it was given once is never made anew.
func Remember(ctx context.Context) context.Context {
	return context.WithValue(ctx, memoryKey{}, &memory{calls: make(map[any]any)})
}

// memoryOf is the memory of a context, nil without one.
func memoryOf(ctx context.Context) *memory {
	m, _ := ctx.Value(memoryKey{}).(*memory)
	return m
}

func (m *memory) get(flight any) any {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[flight]
}

func (m *memory) put(flight, call any) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[flight] = call
}
