package terminate

import (
	"context"
	"errors"
	"os"
	"syscall"

	"server-monitor/internal/process"
)

// handles takes hold of processes by pidfd.
type handles struct{ config process.Config }

// newTargets makes what takes hold of the processes that config shows.
func newTargets(config process.Config) Targets { return handles{config} }

func (h handles) Open(pid int) (Target, error) {
	handle, err := process.Open(h.config, pid)
	if errors.Is(err, process.ErrGone) && exists(pid) {
		// It came just now, or procfs is mounted with hidepid.
		if handle, err = process.Open(h.config, pid); errors.Is(err, process.ErrGone) && exists(pid) {
			err = errHidden
		}
	}
	if err != nil {
		return nil, err
	}
	t := &handleTarget{handle: handle, proc: h.config.Proc}
	facts, err := t.Facts()
	if err != nil {
		handle.Close()
		return nil, err
	}
	t.identity = facts.Identity
	return t, nil
}

// exists tells whether any process or thread bears a pid. Signal 0 tells
// without doing anything (kill(2)).
func exists(pid int) bool {
	err := syscall.Kill(pid, 0)
	return pid > 0 && (err == nil || errors.Is(err, os.ErrPermission))
}

func (h handles) Alive(identity process.Identity) bool {
	s, err := readStat(h.config.Proc, identity.PID)
	return err == nil && s.start == identity.StartTicks && s.state != process.Zombie && s.state != process.Dead
}

// handleTarget is a process held by pidfd.
type handleTarget struct {
	handle   *process.Handle
	identity process.Identity
	proc     string
}

func (t *handleTarget) Identity() process.Identity     { return t.identity }
func (t *handleTarget) Signal(signal Signal) error     { return t.handle.Signal(signals[signal]) }
func (t *handleTarget) Wait(ctx context.Context) error { return t.handle.Wait(ctx) }
func (t *handleTarget) Close()                         { t.handle.Close() }

// signals are the signals by their numbers here.
var signals = [...]syscall.Signal{Term: syscall.SIGTERM, Kill: syscall.SIGKILL, Continue: syscall.SIGCONT}

func (t *handleTarget) Facts() (*Facts, error) {
	live, err := t.handle.Facts()
	if err != nil {
		return nil, err
	}
	f := factsOf(&live.Process)
	f.Ended = live.Exited
	f.UIDs = []int{live.UIDs.Real, live.UIDs.Effective, live.UIDs.Saved, live.UIDs.FileSystem}
	f.LoginUID = live.LoginUID
	f.InnerPID = len(live.PIDs) > 1
	f.Place = placeOf(live.Cgroup)
	f.Place.Container = live.Container
	return f, nil
}

// Children reads which processes the pids of the children belong to. One that
// is no child any more by then is left out.
func (t *handleTarget) Children() []Child {
	pids, err := t.handle.Children()
	if err != nil {
		return nil
	}
	var children []Child
	for _, pid := range pids {
		s, err := readStat(t.proc, pid)
		if err != nil || s.parent != t.identity.PID || s.state == process.Zombie {
			continue
		}
		identity := process.Identity{PID: pid, StartTicks: s.start, Boot: t.identity.Boot}
		children = append(children, newChild(identity, s.comm))
	}
	return children
}
