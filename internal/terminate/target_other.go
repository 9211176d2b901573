//go:build !linux && !windows

package terminate

import "server-monitor/internal/process"

// noTargets takes hold of nothing.
type noTargets struct{}

// newTargets says, when asked, that processes cannot be held here.
func newTargets(process.Config) Targets { return noTargets{} }

func (noTargets) Open(int) (Target, error)    { return nil, errPlatform }
func (noTargets) Alive(process.Identity) bool { return false }
