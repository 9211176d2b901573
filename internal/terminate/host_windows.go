package terminate

import (
	"os"

	"server-monitor/internal/process"
)

// ReadHost reads what the guards compare with. What cannot be read is left
// empty, and requests are refused for want of it.
func ReadHost(process.Config) *Host {
	h := &Host{Windows: true, Login: DefaultLogin, Self: os.Getpid(), Ancestors: process.Ancestors(os.Getpid())}
	boot, err := process.BootID()
	if err != nil {
		obstacle := reasonFailed.with(err.Error())
		h.Obstacle = &obstacle
	}
	h.Boot = boot
	return h
}
