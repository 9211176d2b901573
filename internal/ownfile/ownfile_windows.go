package ownfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// shareAll lets others do to an open file what Unix always lets them: os opens
// files without FILE_SHARE_DELETE, and so forbids to rename them.
const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// appendOnly is FILE_GENERIC_WRITE without the right to write elsewhere than at
// the end.
const appendOnly = windows.FILE_APPEND_DATA | windows.FILE_WRITE_ATTRIBUTES | windows.FILE_READ_ATTRIBUTES |
	windows.READ_CONTROL | windows.SYNCHRONIZE

// Open opens a file for reading. Others may write, rename and remove it
// meanwhile.
func Open(path string) (*os.File, error) {
	return open(path, windows.GENERIC_READ, windows.OPEN_EXISTING, nil)
}

// OpenAppend opens a file to add to it, or makes one that only its owner may
// read. It may be renamed while it is open.
func OpenAppend(path string) (*os.File, error) {
	private, err := privateAttributes()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	file, err := open(path, appendOnly, windows.OPEN_ALWAYS, private)
	if err != nil {
		return nil, err
	}
	if err := Exposed(file); err != nil { // it was there before
		if err = setAccess(path, private.SecurityDescriptor); err != nil {
			file.Close()
			return nil, &fs.PathError{Op: "protect", Path: path, Err: err}
		}
	}
	return file, nil
}

// CreateTemp is [os.CreateTemp] of a file that only its owner may read: that it
// can be read for no moment by those who may read its folder.
func CreateTemp(folder, pattern string) (*os.File, error) {
	private, err := privateAttributes()
	if err != nil {
		return nil, &fs.PathError{Op: "create", Path: folder, Err: err}
	}
	before, after, _ := strings.Cut(pattern, "*")
	for {
		path := filepath.Join(folder, before+rand.Text()+after)
		file, err := open(path, windows.GENERIC_READ|windows.GENERIC_WRITE, windows.CREATE_NEW, private)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
}

func open(path string, access, how uint32, security *windows.SecurityAttributes) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err == nil {
		var handle windows.Handle
		handle, err = windows.CreateFile(name, access, shareAll, security, how, windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
		if err == nil {
			return os.NewFile(uintptr(handle), path), nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: err}
}

// Who reads a file for a moment keeps it from being replaced for so long.
const (
	replaceLimit = 2 * time.Second
	replacePause = 10 * time.Millisecond
)

// Replace puts a file into the place of another, once nobody has that open.
func Replace(from, to string) error {
	deadline := time.Now().Add(replaceLimit)
	for {
		err := os.Rename(from, to)
		busy := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !busy || time.Now().After(deadline) {
			return err
		}
		time.Sleep(replacePause)
	}
}

// privateAttributes make a file for us, the system, administrators and the
// service alone; nothing is taken over from the folder.
func privateAttributes() (*windows.SecurityAttributes, error) {
	self, err := ourSID()
	if err != nil {
		return nil, err
	}
	descriptor, err := windows.SecurityDescriptorFromString(privateAccess(self.String()))
	if err != nil {
		return nil, err
	}
	return &windows.SecurityAttributes{
		Length:             uint32(unsafe.Sizeof(windows.SecurityAttributes{})),
		SecurityDescriptor: descriptor,
	}, nil
}

// privateAccess is the access control list of a private file, in SDDL: all to
// SYSTEM, administrators and self, reading to the service.
func privateAccess(self string) string {
	return "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;" + self + ")(A;;FR;;;" + ServiceSID(ServiceName) + ")"
}

// ourSID is the user that this process runs as.
func ourSID() (*windows.SID, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	return user.User.Sid, nil
}

// setAccess gives a file an access control list, and nothing of its folder.
func setAccess(path string, descriptor *windows.SECURITY_DESCRIPTOR) error {
	file, err := open(path, windows.WRITE_DAC, windows.OPEN_EXISTING, nil)
	if err != nil {
		return err
	}
	defer file.Close()
	return windows.SetKernelObjectSecurity(windows.Handle(file.Fd()), windows.DACL_SECURITY_INFORMATION, descriptor)
}
