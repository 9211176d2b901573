package collector

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// The defaults of the filesystem collector, those of node_exporter: file
// systems that hold no data of their own, or that are full by nature.
const (
	DefaultMountPointsExclude = `^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)`
	DefaultFSTypesExclude     = `^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$`
)

// newMountLister lists the mounts of the host below paths.Root
// (proc_pid_mountinfo(5)).
func newMountLister(paths Paths) (func(context.Context) ([]mount, error), error) {
	fs, err := procfs.NewFS(paths.Proc)
	if err != nil {
		return nil, fmt.Errorf("open procfs: %w", err)
	}
	root := filepath.Join("/", paths.Root)
	return func(context.Context) ([]mount, error) {
		infos, err := readMountInfo(fs)
		if err != nil {
			return nil, err
		}
		return topMounts(infos, root), nil
	}, nil
}

// readMountInfo reads what process 1 sees, the whole host. Where that may not
// be read (hidepid of proc(5)), what this process sees has to do.
func readMountInfo(fs procfs.FS) ([]*procfs.MountInfo, error) {
	infos, err := fs.GetProcMounts(1)
	if err == nil || errors.Is(err, procfs.ErrFileParse) {
		return infos, err
	}
	infos, selfErr := fs.GetMounts()
	if selfErr != nil {
		return nil, errors.Join(err, selfErr)
	}
	return infos, nil
}

// topMounts turns lines of mountinfo into mounts, one for each place: where
// several are mounted on one another, statfs(2) tells only of the last.
func topMounts(infos []*procfs.MountInfo, root string) []mount {
	mounts := make([]mount, 0, len(infos))
	at := make(map[string]int, len(infos))
	for _, info := range infos {
		own := unescapeOctal(info.MountPoint)
		point := stripRoot(root, own)
		m := mount{
			device:   unescapeOctal(info.Source),
			fsType:   unescapeOctal(info.FSType),
			point:    point,
			path:     filepath.Join(root, point),
			readOnly: isReadOnly(info, own == point),
		}
		if i, ok := at[m.path]; ok {
			mounts[i] = m
			continue
		}
		at[m.path] = len(mounts)
		mounts = append(mounts, m)
	}
	return mounts
}

// stripRoot returns a mount point as the host has it, where the list is that
// of a container into which the host is mounted at root.
func stripRoot(root, point string) string {
	if root == "/" {
		return point
	}
	if rest, ok := strings.CutPrefix(point, root); ok {
		switch {
		case rest == "":
			return "/"
		case rest[0] == '/':
			return rest
		}
	}
	return point
}

// isReadOnly looks at the file system and, where it is the host's, at the
// mount: that the host is read-only in a container says nothing of the host.
// Since Linux 6.15 ext4 that stopped writing after an error says so with
// another word.
func isReadOnly(info *procfs.MountInfo, hostMount bool) bool {
	_, mount := info.Options["ro"]
	_, super := info.SuperOptions["ro"]
	_, emergency := info.SuperOptions["emergency_ro"]
	return hostMount && mount || super || emergency
}

// unescapeOctal undoes what the kernel does to blanks, line breaks, '#' and
// backslashes in names: \040 for a space.
func unescapeOctal(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if c, ok := octal(s[i:]); ok {
			b = append(b, c)
			i += 3
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// octal reads the byte that an escape at the start of s stands for.
func octal(s string) (byte, bool) {
	if len(s) < 4 || s[0] != '\\' || s[1] > '3' {
		return 0, false
	}
	var c byte
	for _, digit := range []byte(s[1:4]) {
		if digit < '0' || digit > '7' {
			return 0, false
		}
		c = c<<3 | (digit - '0')
	}
	return c, true
}

// usageOf asks the kernel (statfs(2)). It may never return.
func usageOf(path string) (usage, error) {
	var st unix.Statfs_t
	for {
		err := unix.Statfs(path, &st)
		if err == nil {
			return usageFromStatfs(&st), nil
		}
		// FUSE and NFS let a signal interrupt the call, and the Go runtime
		// sends signals to its own threads.
		if !errors.Is(err, unix.EINTR) {
			return usage{}, fmt.Errorf("statfs: %w", err)
		}
	}
}

// usageFromStatfs converts blocks to bytes. They are counted in fragments,
// which differ from the block size of best performance on FUSE and virtiofs.
func usageFromStatfs(st *unix.Statfs_t) usage {
	fragment := uint64(st.Frsize)
	if fragment == 0 {
		fragment = uint64(st.Bsize)
	}
	return usage{
		size:      st.Blocks * fragment,
		available: st.Bavail * fragment,
		used:      difference(st.Blocks, st.Bfree) * fragment,
		files:     st.Files,
		filesFree: st.Ffree,
	}
}
