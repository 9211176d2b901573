package killapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"server-monitor/internal/logtail"
)

const (
	// logBatch is how many lines are taken from it at once.
	logBatch = 200
	// logKept is how many of its latest lines are kept for those who follow it.
	// Who is further behind misses some, and is told how many.
	logKept = 1000
	// logBegin is how long its last lines are waited for.
	logBegin = 10 * time.Second
)

// tail is a log that is followed for all who watch it.
type tail struct {
	log   logtail.Log
	begin sync.Once
	stop  context.CancelFunc
	// run is there while the log is followed.
	run sync.WaitGroup
	// watchers is guarded by the mutex of tails.
	watchers int

	mu    sync.Mutex
	lines []json.RawMessage // the latest
	last  uint64            // the number of the last of them, counted from 1 on
	err   error             // why no more will come
	more  chan struct{}     // closed when there are more lines, or err
}

// tails are the logs that are followed, by source.
type tails struct {
	mu  sync.Mutex
	all map[string]*tail
}

// join begins to watch a log, which is followed from then on if nobody watches
// it yet. It is left at the latest when life ends.
func (t *tails) join(life context.Context, source string, log logtail.Log, poll time.Duration) (*tail, error) {
	watched := t.enter(source, log)
	watched.begin.Do(func() { watched.start(life, poll) })
	if err := watched.failed(); err != nil {
		t.leave(source, watched)
		return nil, err
	}
	return watched, nil
}

// enter counts one more who watches a log.
func (t *tails) enter(source string, log logtail.Log) *tail {
	t.mu.Lock()
	defer t.mu.Unlock()
	watched := t.all[source]
	if watched == nil || watched.failed() != nil {
		watched = &tail{log: log, more: make(chan struct{}), stop: func() {}}
		if t.all == nil {
			t.all = make(map[string]*tail)
		}
		t.all[source] = watched
	}
	watched.watchers++
	return watched
}

// leave stops to watch a log, which is let go when nobody watches it any more.
func (t *tails) leave(source string, watched *tail) {
	t.mu.Lock()
	watched.watchers--
	last := watched.watchers == 0
	if last && t.all[source] == watched {
		delete(t.all, source)
	}
	t.mu.Unlock()
	if last {
		watched.stop()
		watched.run.Wait()
	}
}

// start reads the last lines of the log and follows it. Following begins first,
// so that no line is lost; one that comes both ways is told by its text and
// time.
func (t *tail) start(life context.Context, poll time.Duration) {
	life, t.stop = context.WithCancel(life)
	ctx, cancel := context.WithTimeout(life, logBegin)
	defer cancel()
	follower, err := t.log.Follow(life)
	if err != nil {
		t.fail(err)
		return
	}
	var first []logtail.Line
	last, err := t.log.Last(ctx, defaultLines)
	if err == nil {
		first, err = follower.Next(ctx, logBatch)
	}
	if err != nil {
		follower.Close()
		t.fail(err)
		return
	}
	t.add(last)
	t.add(first[overlap(last, first):])
	t.run.Go(func() { t.follow(life, follower, poll) })
}

// overlap is how many lines at the beginning of more are at the end of last.
func overlap(last, more []logtail.Line) int {
	for n := min(len(last), len(more)); n > 0; n-- {
		if slices.Equal(last[len(last)-n:], more[:n]) {
			return n
		}
	}
	return 0
}

// follow follows the log until nobody watches it any more or it fails.
func (t *tail) follow(ctx context.Context, follower logtail.Follower, poll time.Duration) {
	defer follower.Close()
	t.fail(unharmed(func() error {
		for {
			lines, err := follower.Next(ctx, logBatch)
			t.add(lines)
			if err != nil {
				return err
			}
			if len(lines) < logBatch && !sleep(ctx, poll) {
				return context.Cause(ctx)
			}
		}
	}))
}

// add appends lines and wakes who waits for them.
func (t *tail) add(lines []logtail.Line) {
	if len(lines) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range lines {
		text, err := json.Marshal(&lines[i])
		if err != nil { // a time that is none
			text = []byte(`{"level":"","text":"?"}`)
		}
		t.lines = append(t.lines, text)
	}
	t.last += uint64(len(lines))
	if len(t.lines) > 2*logKept {
		t.lines = append(t.lines[:0:0], t.lines[len(t.lines)-logKept:]...)
	}
	t.wake()
}

// fail notes that no more lines will come.
func (t *tail) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = fmt.Errorf("follow log: %w", err)
	t.wake()
}

func (t *tail) wake() {
	close(t.more)
	t.more = make(chan struct{})
}

// failed is why no more lines will come, nil where some may.
func (t *tail) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// news is what a log has for somebody who watches it.
type news struct {
	lines []json.RawMessage
	// missed counts the lines before them that are no longer kept.
	missed uint64
	last   uint64
	err    error
	// more is closed when there is more.
	more <-chan struct{}
}

// after gives what is behind a line.
func (t *tail) after(number uint64) news {
	t.mu.Lock()
	defer t.mu.Unlock()
	behind := t.last - number
	kept := min(behind, uint64(len(t.lines)))
	return news{
		lines: slices.Clone(t.lines[uint64(len(t.lines))-kept:]), missed: behind - kept, last: t.last, err: t.err, more: t.more,
	}
}

// tip is the number of the line behind which somebody who comes now begins.
func (t *tail) tip() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last - min(uint64(len(t.lines)), defaultLines)
}
