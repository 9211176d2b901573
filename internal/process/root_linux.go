package process

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// findRoot tells where the host's files are: where the configuration says, or,
// where we live in a mount namespace of our own (a service with PrivateTmp, a
// container with the host's pids), below the root of the host's first process.
func (r *Reader) findRoot() string {
	if !r.real || r.config.Root != "/" {
		return r.config.Root
	}
	var link [64]byte
	n, err := unix.Readlink("/proc/self/ns/mnt", link[:])
	if err != nil || r.host.Mount == 0 || bracketed(link[:n]) == r.host.Mount {
		return "/"
	}
	root := strings.TrimSuffix(r.config.Proc, "/") + "/1/root"
	var st unix.Stat_t
	if unix.Stat(root+"/", &st) != nil {
		return "/" // we may not look: what is the same in both still fits
	}
	return root
}

// hostStat is stat(2) on a path of the host.
func (r *Reader) hostStat(name string, st *unix.Stat_t) error {
	if r.config.Root == "/" {
		r.calls++
		return unix.Stat(name, st)
	}
	return r.statBelow(unix.AT_FDCWD, r.config.Root, name, st)
}

// statBelow is stat(2) on a path as one sees it whose root folder is root, a
// path relative to dir: links on the way are followed from there, not from our
// own root.
func (r *Reader) statBelow(dir int, root, name string, st *unix.Stat_t) error {
	if r.noOpenat2 {
		return unix.Fstatat(dir, root+name, st, 0)
	}
	rootFD, err := r.openat(dir, root, directory)
	if err != nil {
		return err
	}
	defer unix.Close(rootFD)
	fd, err := r.roomFor(func() (int, error) {
		return unix.Openat2(rootFD, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
	})
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) { // before Linux 5.6, or a filter
		r.noOpenat2 = true
		return unix.Fstatat(dir, root+name, st, 0)
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Fstat(fd, st)
}
