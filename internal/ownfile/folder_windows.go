package ownfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Folder is where server-monitor keeps its files where no flag says otherwise:
// in %ProgramData%. Every user may make folders there, so it has to be claimed.
func Folder() string {
	base, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		base = `C:\ProgramData`
	}
	return filepath.Join(base, ServiceName)
}

// MakeFolder makes a folder for us, the system, administrators and the service
// alone, where there is none.
func MakeFolder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(path); parent != path {
		if err := MakeFolder(parent); err != nil {
			return err
		}
	}
	descriptor, err := folderDescriptor()
	if err == nil {
		var name *uint16
		if name, err = windows.UTF16PtrFromString(path); err == nil {
			err = windows.CreateDirectory(name, &windows.SecurityAttributes{
				Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: descriptor,
			})
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}

// ErrForeignFolder says that somebody else was there first.
var ErrForeignFolder = errors.New("it belongs to another user: look at what is in it, and remove it")

// ClaimFolder makes a folder, or takes one over that administrators, the system
// or we have made.
func ClaimFolder(path string) error {
	if err := MakeFolder(path); err != nil {
		return err
	}
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return &fs.PathError{Op: "claim", Path: path, Err: err}
	}
	self, err := ourSID()
	if err != nil {
		return err
	}
	if owner, _, err := descriptor.Owner(); err != nil || !owner.Equals(self) && !isTrusted(owner) {
		return &fs.PathError{Op: "claim", Path: path, Err: fmt.Errorf("%w (%v)", ErrForeignFolder, owner)}
	}
	if descriptor, err = folderDescriptor(); err == nil {
		err = setAccess(path, descriptor)
	}
	if err != nil {
		return &fs.PathError{Op: "claim", Path: path, Err: err}
	}
	return nil
}

// folderDescriptor is the access to a private folder, which what is made in it
// takes over. The service may change what is in it.
func folderDescriptor() (*windows.SECURITY_DESCRIPTOR, error) {
	self, err := ourSID()
	if err != nil {
		return nil, err
	}
	const modify = "0x1301bf" // all but to change access and owner
	return windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;" + self.String() + ")" +
		"(A;OICI;" + modify + ";;;" + ServiceSID(ServiceName) + ")")
}

// Replaceable tells why others than its owner, administrators and services may
// replace a program: by its own access control list, or by that of its folder.
func Replaceable(path string) error {
	for _, p := range []string{path, filepath.Dir(path)} {
		descriptor, err := windows.GetNamedSecurityInfo(p, windows.SE_FILE_OBJECT,
			windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			return &fs.PathError{Op: "check", Path: p, Err: err}
		}
		self, err := ourSID()
		if err != nil {
			return err
		}
		if err := touchable(descriptor, self, changing); err != nil {
			return &fs.PathError{Op: "check", Path: p, Err: err}
		}
	}
	return nil
}
