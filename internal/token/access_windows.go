package token

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"

	"server-monitor/internal/ownfile"
)

// ErrReadableByOthers says that other users than the owner may read the file.
var ErrReadableByOthers = errors.New("other users may read or write it: " +
	"icacls FILE /inheritance:r /grant:r SYSTEM:F Administrators:F")

// checkAccess refuses a file that others than its owner, administrators and
// services may read or write, as its access control list says.
func checkAccess(file *os.File) error {
	if err := ownfile.Exposed(file); err != nil {
		return fmt.Errorf("%w: %w", ErrReadableByOthers, err)
	}
	return nil
}

// accessOf is the access control list of a file in words, or why it is not known.
func accessOf(path string) string {
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return err.Error()
	}
	return descriptor.String()
}

// keepOwner gives the new file the access control list of the old one, so that
// the account of the service can still read what an administrator has changed.
func keepOwner(old string, written *os.File) error { return ownfile.KeepAccess(old, written) }

// lock waits until no other program changes the file.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, new(windows.Overlapped))
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
