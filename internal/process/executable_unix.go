//go:build unix && !linux

package process

import (
	"os"
	"path"
	"syscall"
)

// isKernel tells the kernel itself, which BSD and macOS list as a process.
func isKernel(pid int32) bool { return pid == 0 }

// fileOf tells what is known of an executable by the file that is at its path
// now: it is trusted where it and the folders above it are root's alone.
func fileOf(exe string) File {
	var f File
	info, err := os.Stat(exe)
	if err != nil {
		f.Deleted = os.IsNotExist(err)
		return f
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Device, f.Inode = uint64(st.Dev), uint64(st.Ino) //nolint:unconvert // their types differ from system to system
	}
	f.Writable = info.Mode().Perm()&0o002 != 0
	f.Trusted = onlyRootWrites(info)
	for folder := exe; folder != "/" && folder != "."; {
		folder = path.Dir(folder)
		info, err := os.Stat(folder)
		f.Trusted = f.Trusted && err == nil && onlyRootWrites(info)
	}
	return f
}

// onlyRootWrites tells a file or folder of root's to which nobody else may
// write.
func onlyRootWrites(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0 && info.Mode().Perm()&0o022 == 0
}
