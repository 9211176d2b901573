package process

// ReadCgroup picks from the text of /proc/PID/cgroup the path that systemd and
// container engines manage, and the container that it names, if any.
func ReadCgroup(text []byte) (path, container string) {
	path = cgroupPath(text)
	return path, place(path).container
}
