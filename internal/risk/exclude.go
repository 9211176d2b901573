package risk

import (
	"path"
	"slices"

	"server-monitor/internal/policy"
)

// excluded tells a process that is counted, not judged: it runs no program, or
// only one whose purpose is to keep a container alive.
func (c *inquiry) excluded(m Moment) bool {
	return c.Kernel || m.Ended ||
		c.platform == policy.Windows && (c.PID == 0 || c.PID == 4) ||
		c.keepsContainer()
}

// containerInits are programs whose only work as the first process of a
// container is to start, hold or reap others.
var containerInits = []string{
	"pause", "init", "tini", "tini-static", "dumb-init", "docker-init", "podman-init", "catatonit", "s6-svscan",
	"sh", "ash", "bash", "dash", "busybox",
}

// keepsContainer tells the pause, init or shell of a container. Its executable
// alone says which program it is, and must lie where an image has its programs:
// the process may give itself any name.
func (c *inquiry) keepsContainer() bool {
	if !c.ContainerInit || c.File.Memory || !slices.Contains(containerInits, c.Name) {
		return false
	}
	if c.Name == "busybox" && !slices.Contains(containerInits, c.Comm) {
		return false // one of its many other programs
	}
	folder := path.Dir(c.exe)
	return folder == "/" || folder == "/dev" || folder == "/run" || folder == "/command" || below(c.exe, standardPaths)
}
