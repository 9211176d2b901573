package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// The defaults of the filesystem collector, those of node_exporter: file
// systems that hold no data of their own, or that are full by nature.
const (
	DefaultMountPointsExclude = `^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)`
	DefaultFSTypesExclude     = `^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$`
)

// newMountLister lists the mounts of the host below paths.Root
// (proc_pid_mountinfo(5)). As long as the kernel writes the same, the list is the
// same slice: every option that can change, after an error of the disk too, is in
// that text.
func newMountLister(paths Paths) (func(context.Context) ([]mount, error), error) {
	if err := openProc(paths); err != nil {
		return nil, err
	}
	l := &mountLister{
		root: filepath.Join("/", paths.Root),
		// What process 1 sees is the whole host. Where that may not be read
		// (hidepid of proc(5)), what this process sees has to do.
		files: [2]string{filepath.Join(paths.Proc, "1/mountinfo"), filepath.Join(paths.Proc, "self/mountinfo")},
	}
	return func(context.Context) ([]mount, error) { return l.list() }, nil
}

// mountLister lists mounts.
type mountLister struct {
	root  string
	files [2]string

	mu     sync.Mutex
	text   []byte // what was read last
	mounts []mount
}

func (l *mountLister) list() (mounts []mount, err error) {
	parse := func(text []byte) (err error) {
		mounts, err = l.parse(text)
		return err
	}
	err = readProc(l.files[0], parse)
	if errors.Is(err, errMountInfo) || err == nil {
		return mounts, err
	}
	if selfErr := readProc(l.files[1], parse); selfErr != nil {
		return nil, errors.Join(err, selfErr)
	}
	return mounts, nil
}

// parse returns the mounts of a text, those of last time where it is the same.
func (l *mountLister) parse(text []byte) ([]mount, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mounts != nil && bytes.Equal(text, l.text) {
		return l.mounts, nil
	}
	mounts, err := topMounts(string(text), l.root)
	if err != nil {
		return nil, err
	}
	l.text, l.mounts = append(l.text[:0], text...), mounts
	return mounts, nil
}

// topMounts turns lines of mountinfo into mounts, one for each place: where
// several are mounted on one another, statfs(2) tells only of the last.
func topMounts(text, root string) ([]mount, error) {
	mounts := make([]mount, 0, strings.Count(text, "\n"))
	at := make(map[string]int, cap(mounts))
	for line := range strings.Lines(text) {
		info, err := parseMountInfo(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		m := info.mount(root)
		if i, ok := at[m.path]; ok {
			mounts[i] = m
			continue
		}
		at[m.path] = len(mounts)
		mounts = append(mounts, m)
	}
	return mounts, nil
}

// mountInfo is a line of mountinfo, as it stands there.
type mountInfo struct{ point, options, fsType, source, superOptions string }

// errMountInfo: the kernel does not write such lines.
var errMountInfo = errors.New("malformed mountinfo")

// parseMountInfo reads a line. Names have no blanks in them; a lone hyphen ends
// the optional fields, and may be a name after that.
func parseMountInfo(line string) (mountInfo, error) {
	before, after, ok := strings.Cut(line, " - ")
	first, second := strings.Split(before, " "), strings.SplitN(after, " ", 3)
	if !ok || len(first) < 6 || len(second) != 3 {
		return mountInfo{}, fmt.Errorf("%w: %q", errMountInfo, line)
	}
	return mountInfo{point: first[4], options: first[5], fsType: second[0], source: second[1], superOptions: second[2]}, nil
}

func (i *mountInfo) mount(root string) mount {
	own := unescapeOctal(i.point)
	point := stripRoot(root, own)
	return mount{
		device:   unescapeOctal(i.source),
		fsType:   unescapeOctal(i.fsType),
		point:    point,
		path:     filepath.Join(root, point),
		readOnly: i.isReadOnly(own == point),
	}
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
func (i *mountInfo) isReadOnly(hostMount bool) bool {
	return hostMount && hasOption(i.options, "ro") || hasOption(i.superOptions, "ro") || hasOption(i.superOptions, "emergency_ro")
}

func hasOption(options, name string) bool {
	for option := range strings.SplitSeq(options, ",") {
		if option == name {
			return true
		}
	}
	return false
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
