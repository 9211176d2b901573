package process

import (
	"bytes"
	"strings"
)

// placement is what the path of a cgroup says of a process.
type placement struct {
	slice, unit, userUnit, container string
}

// cgroupPath picks the path that systemd and container engines manage from the
// text of /proc/PID/cgroup (cgroups(7)): the hierarchy called name=systemd where
// version 1 is mounted, else that of version 2.
func cgroupPath(text []byte) []byte {
	var v1, v2 []byte
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		_, rest, _ := bytes.Cut(line, []byte(":"))
		controllers, path, found := bytes.Cut(rest, []byte(":"))
		switch {
		case !found:
		case len(controllers) == 0:
			v2 = path
		case string(controllers) == "name=systemd":
			v1 = path
		}
	}
	if len(v1) > 1 || len(v2) == 0 {
		return v1
	}
	return v2
}

// place reads a cgroup path from the left, for whoever is given a part of the
// tree may make folders of any name further right, "system.slice" among them.
func place(path string) placement {
	var p placement
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for len(parts) > 0 && parts[0] == ".." { // seen from another cgroup namespace
		parts = parts[1:]
	}
	for i, part := range parts {
		if strings.HasSuffix(part, ".slice") {
			if p.unit == "" && p.slice == "" {
				p.slice = part
			}
			continue
		}
		if isUnit(part) {
			if p.unit == "" {
				p.unit = part
			} else if p.userUnit == "" && strings.HasPrefix(p.unit, "user@") {
				p.userUnit = part
			}
		}
		p.container = containerID(part)
		if p.container == "" && i > 0 && isContainerFolder(parts[:i], part) {
			p.container = part
		}
		if p.container != "" {
			break // what is further right is the container's own
		}
	}
	return p
}

// isUnit tells the folder of a service or scope.
func isUnit(part string) bool {
	return strings.HasSuffix(part, ".service") || strings.HasSuffix(part, ".scope")
}

// containerID reads the id or name of a container from the name of its
// cgroup's folder, as engines on systemd, Podman, CRI-O and LXC make it.
func containerID(part string) string {
	name, scope := strings.CutSuffix(part, ".scope")
	for _, engine := range [...]string{"docker-", "libpod-", "crio-", "cri-containerd-", "nerdctl-", "buildkit-"} {
		if id, ok := strings.CutPrefix(name, engine); ok && isHex64(id) {
			return id
		}
	}
	// A virtual machine is registered like a container, but its program runs
	// on the host.
	if machine, ok := strings.CutPrefix(name, "machine-"); ok && scope && !strings.HasPrefix(machine, `qemu\x2d`) {
		return machine
	}
	if name, ok := strings.CutSuffix(part, ".service"); ok {
		if machine, ok := strings.CutPrefix(name, "systemd-nspawn@"); ok {
			return machine
		}
	}
	for _, prefix := range [...]string{"lxc.payload.", "lxc.payload@"} {
		if name, ok := strings.CutPrefix(part, prefix); ok {
			return name
		}
	}
	return ""
}

// isContainerFolder tells the folder of a container of an engine without
// systemd's driver by the folders that lead to it.
func isContainerFolder(above []string, part string) bool {
	switch above[len(above)-1] {
	case "lxc":
		return len(above) == 1 // LXC before 4.0 uses the bare name
	case "docker", "podman", "crio", "containerd", "default", "moby", "k8s.io":
		return isHex64(part)
	case "buildkit":
		return part != ""
	}
	return above[0] == "kubepods" && isHex64(part)
}

// isHex64 tells a full container id.
func isHex64(s string) bool {
	return len(s) == 64 && isHex(s)
}
