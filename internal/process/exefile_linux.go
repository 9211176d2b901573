package process

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// exeKey names an executable file as its processes see it.
type exeKey struct {
	path          string
	device, inode uint64
	view          view
}

// view is through which mount namespace and root folder a process sees paths.
type view struct {
	mount uint64
	root  string
}

func viewOf(facts *Facts) view {
	return view{mount: facts.Namespaces.Mount, root: facts.Root}
}

// isHosts tells the view that we have too, below the configured root: a process
// of the host that called chroot(2) bears its paths as the host sees them.
func (v view) isHosts(r *Reader) bool {
	return v.mount == 0 || v.mount == r.host.Mount
}

// exeFile is one executable file that processes run. It is looked at once in a
// snapshot, however many processes share it.
type exeFile struct {
	key     exeKey
	seen    fileSigns
	checked uint64 // the snapshot that last looked
	changed bool   // its processes have to read their facts again
}

// fileSigns are what tells a change of a file or of its folder.
type fileSigns struct {
	device, inode, links uint64
	mode, uid, gid       uint32
	changeTime           unix.Timespec
	folderMode           uint32
	folderUID            uint32
}

// exeFiles are the executable files of all processes.
type exeFiles map[exeKey]*exeFile

// exeChanged tells whether the file behind e is no longer what it was when its
// processes' facts were read; t is one of those processes.
func (r *Reader) exeChanged(t *tracked, e *exeFile) bool {
	if e.checked == r.sequence || e.changed {
		return e.changed
	}
	e.checked = r.sequence
	e.changed = r.signs(t, e.key) != e.seen
	if e.changed {
		delete(r.exes, e.key)
	}
	return e.changed
}

// exeFileOf returns the file that t runs, which the table takes in if it is new.
func (r *Reader) exeFileOf(t *tracked, key exeKey) *exeFile {
	if e, ok := r.exes[key]; ok && !r.exeChanged(t, e) {
		return e
	}
	e := &exeFile{key: key, checked: r.sequence, seen: r.signs(t, key)}
	r.exes[key] = e
	return e
}

// signs reads the present signs of a path as t sees it. They are zero where
// nothing is there.
func (r *Reader) signs(t *tracked, key exeKey) fileSigns {
	var file, folder unix.Stat_t
	if r.statIn(t, key.view, key.path, &file) != nil {
		return fileSigns{}
	}
	_ = r.statIn(t, key.view, path.Dir(key.path), &folder)
	return fileSigns{
		device: file.Dev, inode: file.Ino, links: uint64(file.Nlink), //nolint:unconvert // 32 bits on some architectures
		mode: file.Mode, uid: file.Uid, gid: file.Gid, changeTime: file.Ctim,
		folderMode: folder.Mode, folderUID: folder.Uid,
	}
}

// statIn looks at a path through the mount namespace and root of a process;
// through our own where that is the same, which needs no permission to trace.
func (r *Reader) statIn(t *tracked, v view, name string, st *unix.Stat_t) error {
	if v.isHosts(r) {
		return r.hostStat(name, st)
	}
	if !r.real {
		return unix.Stat(r.fixturePath(v, name), st)
	}
	if v.root != "/" {
		below, ok := strings.CutPrefix(name, v.root)
		if !ok || below == "" || below[0] != '/' {
			return unix.ENOENT // the root folder, all that can be reached, is elsewhere
		}
		name = below
	}
	dir, root := r.at(t, "root")
	return r.statBelow(dir, root, name, st)
}

// everyone tells that the signs give write access to all users: to the file,
// or to its folder unless that is sticky, which keeps others from replacing it.
func (s fileSigns) everyone() bool {
	return s.mode&0o002 != 0 || s.folderMode&0o002 != 0 && s.folderMode&unix.S_ISVTX == 0
}

// programFolders are searched for a link that explains the name of a process.
var programFolders = []string{"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"}

// commIsLink tells whether comm is the name of a link, in a folder of programs
// or beside the file, that leads to the file.
func (r *Reader) commIsLink(t *tracked, v view, exe string, device, inode uint64) bool {
	comm := t.comm
	if comm == "" || comm == "." || comm == ".." || strings.IndexByte(comm, '/') >= 0 {
		return false
	}
	var st unix.Stat_t
	for _, folder := range append([]string{path.Dir(exe) + "/"}, programFolders...) {
		if standardFolder(folder) && r.statIn(t, v, folder+comm, &st) == nil && st.Dev == device && st.Ino == inode {
			return true
		}
	}
	return false
}

// standardFolder tells a folder that only root fills.
func standardFolder(folder string) bool {
	for _, prefix := range [...]string{"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/"} {
		if strings.HasPrefix(folder, prefix) {
			return true
		}
	}
	return false
}
