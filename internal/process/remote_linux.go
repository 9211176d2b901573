package process

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A file system whose server has gone lets whoever looks at a file of it wait,
// for hours and without an end by a signal. No program on one is looked at but
// for what the kernel has kept of it; it counts as not trusted, for the host's
// root does not decide what its server sends.

// statCached is stat(2) by what the kernel knows already (AT_STATX_DONT_SYNC),
// which for a link of /proc asks no server.
func statCached(dir int, name string, st *unix.Stat_t) error {
	var x unix.Statx_t
	err := unix.Statx(dir, name, unix.AT_STATX_DONT_SYNC, unix.STATX_BASIC_STATS, &x)
	if errors.Is(err, unix.ENOSYS) { // before Linux 4.11, or a filter
		return unix.Fstatat(dir, name, st, 0)
	}
	if err != nil {
		return err
	}
	*st = unix.Stat_t{Dev: unix.Mkdev(x.Dev_major, x.Dev_minor), Ino: x.Ino, Mode: uint32(x.Mode), Uid: x.Uid, Gid: x.Gid}
	setLinks(&st.Nlink, x.Nlink)
	return nil
}

// setLinks sets a field whose type differs between architectures.
func setLinks[T uint32 | uint64](links *T, n uint32) { *links = T(n) }

// isRemote tells whether a device is a file system that another machine, or
// another process, serves.
func (r *Reader) isRemote(t *tracked, device uint64) bool {
	if !r.real || unix.Major(device) != 0 {
		return false // a disk
	}
	if r.sequence-r.mountsRead >= factsTurn { // numbers are used again after umount(2)
		clear(r.remote)
	}
	remote, known := r.remote[device]
	if known {
		return remote
	}
	r.readMounts(r.proc, "self/mountinfo")
	if _, known = r.remote[device]; !known {
		r.readMounts(r.at(t, "mountinfo"))
	}
	if _, known = r.remote[device]; !known {
		r.remote[device] = false // it is mounted nowhere any more, or never was: a memfd
	}
	return r.remote[device]
}

// readMounts notes of the file systems of a mount namespace whether they are
// remote. The one at its root is not: nothing goes on without it.
func (r *Reader) readMounts(dir int, name string) {
	r.mountsRead = r.sequence
	f, err := r.openFile(dir, name)
	if err != nil {
		return
	}
	defer f.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(f); err != nil {
		return
	}
	r.calls += uint64(1 + text.Len()/unix.Getpagesize()) // procfs gives a page at a time
	parseMounts(text.Bytes(), func(device uint64, remote bool) { r.remote[device] = remote })
}

// parseMounts reads mountinfo and tells of each device whether it is remote.
func parseMounts(mountinfo []byte, found func(device uint64, remote bool)) {
	var root uint64
	for line := range bytes.Lines(mountinfo) {
		if device, point, _, ok := parseMount(line); ok && point == "/" {
			root = device
		}
	}
	for line := range bytes.Lines(mountinfo) {
		if device, _, kind, ok := parseMount(line); ok {
			found(device, isRemoteKind(kind) && device != root)
		}
	}
}

// parseMount reads a line of mountinfo (proc_pid_mountinfo(5)): id, parent,
// device, root, mount point, options, any number of tags, "-", type.
func parseMount(line []byte) (device uint64, point, kind string, ok bool) {
	before, after, found := bytes.Cut(line, []byte(" - "))
	fields := bytes.Fields(before)
	kinds := bytes.Fields(after)
	if !found || len(fields) < 6 || len(kinds) == 0 {
		return 0, "", "", false
	}
	majorText, minorText, _ := strings.Cut(string(fields[2]), ":")
	major, err := strconv.ParseUint(majorText, 10, 32)
	if err != nil {
		return 0, "", "", false
	}
	minor, err := strconv.ParseUint(minorText, 10, 32)
	if err != nil {
		return 0, "", "", false
	}
	return unix.Mkdev(uint32(major), uint32(minor)), string(fields[4]), string(kinds[0]), true
}

// isRemoteKind tells the types of file systems that wait for a server.
func isRemoteKind(kind string) bool {
	switch kind {
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "afs", "9p", "lustre", "gpfs", "beegfs", "glusterfs", "orangefs", "coda", "fuse":
		return true
	}
	return strings.HasPrefix(kind, "fuse.")
}
