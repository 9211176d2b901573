//go:build unix

package token

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrReadableByOthers says that other users than the owner may read the file.
var ErrReadableByOthers = errors.New("other users may read or write it: chmod 600")

// checkAccess refuses a file that anybody but its owner may read or write.
func checkAccess(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return reason(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return ErrReadableByOthers
	}
	return nil
}

// keepOwner gives the new file the owner of the old one, so that the service
// can still read what root has changed.
func keepOwner(old string, written *os.File) error {
	info, err := os.Stat(old)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return written.Chown(int(st.Uid), int(st.Gid))
}

// lock waits until no other program changes the file.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
