package process

import (
	"errors"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// deletedSuffix is what the kernel puts behind the path of a file that was
// removed (d_path in linux/fs/d_path.c).
const deletedSuffix = " (deleted)"

// tooLong stands for the path of an executable that is too long for the kernel
// to tell (PATH_MAX): somebody took pains to hide it.
const tooLong = "(path longer than 4096 bytes)"

// readExe reads which file the process runs and what can be said of it.
func (r *Reader) readExe(t *tracked, known *reading) error {
	target, err := r.linkAt(t, "exe")
	switch {
	case err == nil:
	case denied(err):
		known.denied |= DeniedExe
		return nil
	case errors.Is(err, unix.ENAMETOOLONG):
		known.facts.Exe = tooLong
		return nil
	case errors.Is(err, unix.ENOENT) && r.real:
		return errEnding // only what ends has no program (exit_mm in linux/kernel/exit.c)
	case fatal(err):
		return err
	default:
		return nil
	}
	view := viewOf(&known.facts)
	link := text(known.old.Exe, target)
	var st unix.Stat_t
	if err := r.statExe(t, view, link, &st); fatal(err) {
		return err
	}
	r.describeExe(t, known, view, link, &st)
	return nil
}

// describeExe takes over what the link and the running file say.
func (r *Reader) describeExe(t *tracked, known *reading, view view, link string, st *unix.Stat_t) {
	facts := &known.facts
	remote := r.isRemote(t, st.Dev)
	exe, cut := strings.CutSuffix(link, deletedSuffix)
	if cut && st.Nlink > 0 && !remote {
		var there unix.Stat_t // a file may really be called so
		cut = r.statIn(t, view, link, &there) != nil || there.Ino != st.Ino || there.Dev != st.Dev
		if !cut {
			exe = link
		}
	}
	facts.Exe = exe
	facts.Name = nameOf(exe, t.comm)
	f := &facts.File
	f.Device, f.Inode, f.Deleted = st.Dev, st.Ino, cut
	f.Memory = cut && inMemory(exe)
	// Nobody can reach a file without a link, whatever its mode: that of a
	// memfd is always 0777.
	f.Writable = st.Mode&0o002 != 0 && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Nlink > 0
	if cut || remote || exe == "" || exe[0] != '/' {
		return
	}
	known.file = r.exeFileOf(t, exeKey{path: exe, device: st.Dev, inode: st.Ino, view: view})
	signs := known.file.seen
	same := signs.device == st.Dev && signs.inode == st.Ino
	f.Writable = f.Writable || same && signs.everyone()
	genuine := !facts.Namespaces.ByUser && known.denied&DeniedNamespaces == 0
	f.Trusted = genuine && st.Mode&unix.S_IFMT == unix.S_IFREG && r.onlyRootWrites(st) && r.isHostFile(exe, st)
	if genuine && !IsComm(t.comm, path.Base(exe)) {
		f.CommIsLink = r.commIsLink(t, view, exe, st.Dev, st.Ino)
	}
}

// statExe looks at the running file itself. In a fixture, whose links lead
// nowhere on this machine, it looks below the fixture's root.
func (r *Reader) statExe(t *tracked, v view, link string, st *unix.Stat_t) error {
	if r.real {
		dir, name := r.at(t, "exe")
		return statCached(dir, name, st)
	}
	if err := r.statIn(t, v, link, st); err == nil {
		return nil
	}
	return r.statIn(t, v, strings.TrimSuffix(link, deletedSuffix), st)
}

// isHostFile tells whether the host shows the same file at the same path, and
// whether root alone could have given it that path: who may write to a folder
// may rename what root put there, and link to it from there.
func (r *Reader) isHostFile(exe string, st *unix.Stat_t) bool {
	var host unix.Stat_t
	if r.hostStat(exe, &host) != nil || host.Dev != st.Dev || host.Ino != st.Ino {
		return false
	}
	for folder := exe; folder != "/"; {
		folder = path.Dir(folder)
		if r.hostStat(folder, &host) != nil || !r.onlyRootWrites(&host) {
			return false
		}
	}
	return true
}

// onlyRootWrites tells a file or folder of root's to which nobody else may
// write.
func (r *Reader) onlyRootWrites(st *unix.Stat_t) bool {
	return st.Uid == r.root && st.Mode&0o022 == 0
}

// inMemory tells the paths of files that never were on a disk.
func inMemory(exe string) bool {
	return strings.HasPrefix(exe, memfdPrefix) || strings.HasPrefix(exe, "/dev/shm/") || strings.HasPrefix(exe, "/SYSV")
}
