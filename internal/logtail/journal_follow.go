package logtail

import (
	"context"
	"fmt"
	"io/fs"
	"sync"
)

// journalBuffer is how many entries wait to be handed out. journalctl waits
// where they are more.
const journalBuffer = 1024

// journalFollower follows the journal through a journalctl that goes on.
type journalFollower struct {
	stop  context.CancelFunc
	lines chan Line
	done  sync.WaitGroup
	end   error // why it ended, once lines is closed
}

// Follow implements [Log]. The follower ends with ctx, too.
func (j *Journal) Follow(ctx context.Context) (Follower, error) {
	ctx, stop := context.WithCancel(ctx)
	var complaint complaint
	command := j.command(ctx, "--follow", "--lines=0")
	command.Stderr = &complaint
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		stop()
		return nil, j.failed(ctx, err, &complaint)
	}
	f := &journalFollower{stop: stop, lines: make(chan Line, journalBuffer)}
	f.done.Go(func() {
		defer close(f.lines)
		scanned := eachEntry(out, func(l Line) bool {
			select {
			case f.lines <- l:
				return true
			case <-ctx.Done():
				return false
			}
		})
		if err := command.Wait(); err != nil {
			f.end = j.failed(ctx, err, &complaint)
		} else if scanned != nil {
			f.end = scanned
		} else {
			f.end = fmt.Errorf("journal: journalctl has ended: %w", fs.ErrClosed)
		}
	})
	return f, nil
}

// Next implements [Follower].
func (f *journalFollower) Next(ctx context.Context, n int) ([]Line, error) {
	var lines []Line
	for len(lines) < n {
		select {
		case l, ok := <-f.lines:
			if !ok {
				return lines, f.end
			}
			lines = append(lines, l)
		case <-ctx.Done():
			return lines, context.Cause(ctx)
		default:
			return lines, nil
		}
	}
	return lines, nil
}

// Close implements [Follower].
func (f *journalFollower) Close() error {
	f.stop()
	f.done.Wait()
	return nil
}
