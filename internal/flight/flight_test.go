package flight

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counted makes 1, 2, 3 and so on, each in a second.
func counted(n *atomic.Int64) func(context.Context) (int64, error) {
	return func(context.Context) (int64, error) {
		time.Sleep(time.Second)
		return n.Add(1), nil
	}
}

func TestWhoComesTogetherShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int64]
		var made atomic.Int64
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 50 * time.Millisecond)
				if got, err := f.Do(t.Context(), time.Minute, counted(&made)); got != 1 || err != nil {
					t.Errorf("asker %d: %d, %v", i, got, err)
				}
			})
		}
		wg.Wait()
		if got, err := f.Do(t.Context(), time.Minute, counted(&made)); got != 2 || err != nil {
			t.Errorf("who comes later: %d, %v", got, err)
		}
	})
}

func TestWhoLeavesDoesNotEndIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int64]
		var made atomic.Int64
		cause := errors.New("had no more time")
		short, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, cause)
		defer cancel()
		call := f.Begin(short, time.Minute, counted(&made))
		if _, err := call.Wait(short); !errors.Is(err, cause) {
			t.Errorf("who left: %v", err)
		}
		if call.Took() != time.Millisecond {
			t.Errorf("took %v so far", call.Took())
		}
		if got, err := f.Do(t.Context(), time.Minute, counted(&made)); got != 1 || err != nil {
			t.Errorf("who stayed: %d, %v", got, err)
		}
		if got, err := call.Wait(short); got != 1 || err != nil {
			t.Errorf("what is there counts: %d, %v", got, err)
		}
		time.Sleep(time.Hour)
		if call.Took() != time.Second {
			t.Errorf("took %v", call.Took())
		}
		if _, err := f.Do(short, time.Minute, counted(&made)); !errors.Is(err, cause) || made.Load() != 1 {
			t.Errorf("who was late already: %v, %d made", err, made.Load())
		}
	})
}

func TestLimitEndsTheMaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int]
		_, err := f.Do(t.Context(), time.Minute, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, context.Cause(ctx)
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestPanicFailsOneAlone(t *testing.T) {
	var f Flight[int]
	_, err := f.Do(t.Context(), time.Minute, func(context.Context) (int, error) { panic("a hostile name") })
	if err == nil || !strings.Contains(err.Error(), "a hostile name") {
		t.Errorf("%v", err)
	}
	if got, err := f.Do(t.Context(), time.Minute, func(context.Context) (int, error) { return 7, nil }); got != 7 || err != nil {
		t.Errorf("the next one: %d, %v", got, err)
	}
}

func TestOneRequestSeesOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f, other Flight[int64]
		var made, others atomic.Int64
		request := Remember(t.Context())
		for range 3 {
			if got, _ := f.Do(request, time.Minute, counted(&made)); got != 1 {
				t.Errorf("in one request: %d", got)
			}
		}
		if got, _ := other.Do(request, time.Minute, counted(&others)); got != 1 || made.Load() != 1 {
			t.Errorf("another flight: %d", got)
		}
		if got, _ := f.Do(t.Context(), time.Minute, counted(&made)); got != 2 {
			t.Errorf("without a memory: %d", got)
		}
		if got, _ := f.Do(Remember(t.Context()), time.Minute, counted(&made)); got != 3 {
			t.Errorf("in another request: %d", got)
		}
		if got, _ := f.Do(context.WithoutCancel(request), time.Minute, counted(&made)); got != 1 {
			t.Errorf("in the first one still: %d", got)
		}
	})
}

// TestJoinedCallIsRemembered lets one request join the call of another.
func TestJoinedCallIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int64]
		var made atomic.Int64
		first := f.Begin(t.Context(), time.Minute, counted(&made))
		request := Remember(t.Context())
		if got, _ := f.Do(request, time.Minute, counted(&made)); got != 1 {
			t.Errorf("joined: %d", got)
		}
		<-first.done
		if got, _ := f.Do(request, time.Minute, counted(&made)); got != 1 {
			t.Errorf("asked again: %d", got)
		}
	})
}
