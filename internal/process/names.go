package process

import (
	"path"
	"strings"
)

// maxComm is how many bytes of a name the kernel keeps (TASK_COMM_LEN - 1).
const maxComm = 15

// IsComm tells whether comm is what the kernel would call a program of that
// name.
func IsComm(comm, name string) bool {
	return comm == name || len(comm) == maxComm && strings.HasPrefix(name, comm)
}

// WithoutVersion cuts the version that distributions put behind the name of a
// program: "python3.11" and "php-fpm8.2" become "python" and "php-fpm". A
// name that has none, or is nothing else, comes back as it is.
func WithoutVersion(name string) string {
	short := strings.TrimRight(name, "0123456789.")
	short = strings.TrimRight(short, "-")
	if short == "" {
		return name
	}
	return short
}

// nameOf is the name of a process: the base of its executable, or what the
// kernel calls it where that cannot be seen.
func nameOf(exe, comm string) string {
	if exe == "" || exe[0] != '/' {
		return comm
	}
	base := path.Base(exe)
	if strings.HasPrefix(exe, memfdPrefix) && !strings.HasPrefix(base, "memfd:") {
		return "memfd:" + base // a memfd may be called "/usr/sbin/sshd"
	}
	return base
}

// memfdPrefix begins the path of a file made by memfd_create(2).
const memfdPrefix = "/memfd:"
