package terminate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"server-monitor/internal/process"
)

// handles takes hold of processes by handles of Windows.
type handles struct{ config process.Config }

// newTargets makes what takes hold of processes.
func newTargets(config process.Config) Targets { return handles{config} }

func (h handles) Open(pid int) (Target, error) {
	handle, err := process.Open(h.config, pid)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: %w", errHidden, err)
	}
	if err != nil {
		return nil, err
	}
	return handleTarget{handle}, nil
}

func (handles) Alive(identity process.Identity) bool { return process.Alive(identity) }

// handleTarget is a process that is held by a handle.
type handleTarget struct{ handle *process.Handle }

func (t handleTarget) Identity() process.Identity     { return t.handle.Identity() }
func (t handleTarget) Wait(ctx context.Context) error { return t.handle.Wait(ctx) }
func (t handleTarget) Close()                         { t.handle.Close() }

func (t handleTarget) Facts() (*Facts, error) {
	live, err := t.handle.Facts()
	if err != nil {
		return nil, err
	}
	f := factsOf(&live.Process)
	f.Ended = live.Exited
	f.Place.UID = -1
	return f, nil
}

// Signal closes the windows of the process for Term, as far as there are any
// that we can reach, and ends it for Kill. Nothing stands for Continue: the
// threads of a process are suspended by whoever debugs it.
func (t handleTarget) Signal(signal Signal) error {
	switch signal {
	case Term:
		asked, err := t.handle.CloseWindows()
		if asked > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errNoSoft, err)
		}
		return errNoSoft
	case Kill:
		return t.handle.Terminate()
	}
	return errPlatform
}

func (t handleTarget) Children() []Child {
	found, err := t.handle.Children()
	if err != nil {
		return nil
	}
	children := make([]Child, 0, len(found))
	for _, c := range found {
		children = append(children, newChild(c.Identity, c.Name))
	}
	return children
}
