package process

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows"
)

// exeFiles are what is known of executable files by their paths.
type exeFiles map[string]*exeFile

// exeFile is what was read of one file.
type exeFile struct {
	File
	read uint64 // the snapshot that read it
	used uint64 // the last snapshot that met it
}

// fileTurn is after how many snapshots a file is looked at again. Who changes
// the rights of a file that runs is seen after so many.
const fileTurn = 16

// file is what is known of the executable at a path. A file that a server on
// the network has to answer for is not asked for: nothing is known of it.
func (r *Reader) file(path string) File {
	known := r.files[path]
	if known == nil {
		known = &exeFile{}
		r.files[path] = known
	}
	known.used = r.sequence
	if known.read == 0 || r.sequence-known.read >= fileTurn {
		known.File = r.queries.fileAt(path)
		known.read = r.sequence
	}
	return known.File
}

// fileAt looks at the file that is at a path now.
func (q *queries) fileAt(path string) File {
	var f File
	if !isLocal(path) {
		return f
	}
	device, inode, access, err := look(path)
	if err != nil {
		f.Deleted = errors.Is(err, windows.ERROR_FILE_NOT_FOUND) || errors.Is(err, windows.ERROR_PATH_NOT_FOUND)
		return f
	}
	f.Device, f.Inode = device, inode
	folder := parent(path)
	_, _, folderAccess, err := look(folder)
	if err != nil {
		return f
	}
	f.Writable = access.everyoneMay(writeRights) || folderAccess.everyoneMay(writeRights)
	f.Trusted = q.underSystem(path) && access.administratorsOnly(writeRights) &&
		folderAccess.administratorsOnly(writeRights) && onlyAdministratorsAbove(folder)
	return f
}

// onlyAdministratorsAbove tells whether nobody else can put another folder in
// the place of one of those that lead to a path. The drive itself cannot be
// replaced.
func onlyAdministratorsAbove(path string) bool {
	for folder := parent(path); len(folder) > len("c:/"); folder = parent(folder) {
		_, _, access, err := look(folder)
		if err != nil || !access.administratorsOnly(replaceRights) {
			return false
		}
	}
	return true
}

// parent is the folder around a path, "c:/" at last.
func parent(path string) string {
	end := strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')
	switch {
	case end < 0:
		return ""
	case end == len("c:"):
		return path[:end+1]
	}
	return path[:end]
}

// errReparse says that a path leads on to another one.
var errReparse = errors.New("the path is a link")

// look opens a file or folder to see which one it is and who may change it.
func look(path string) (device, inode uint64, access accessList, err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, 0, accessList{}, err
	}
	h, err := windows.CreateFile(name, windows.READ_CONTROL|windows.FILE_READ_ATTRIBUTES,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return 0, 0, accessList{}, err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &info); err != nil {
		return 0, 0, accessList{}, err
	}
	if info.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0 {
		return 0, 0, accessList{}, errReparse
	}
	access, err = readAccess(h)
	return uint64(info.VolumeSerialNumber), uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow), access, err
}

// isLocal tells a path on a drive of this machine.
func isLocal(path string) bool {
	if len(path) < 4 || path[1] != ':' || path[2] != '/' {
		return false
	}
	root, err := windows.UTF16PtrFromString(path[:2] + `\`)
	if err != nil {
		return false
	}
	kind := windows.GetDriveType(root)
	return kind != windows.DRIVE_REMOTE && kind != windows.DRIVE_NO_ROOT_DIR && kind != windows.DRIVE_UNKNOWN
}

// underSystem tells the folders of Windows that only administrators fill.
func (q *queries) underSystem(exe string) bool {
	exe = strings.ToLower(exe)
	if !strings.HasPrefix(exe, q.system[:2]) {
		return false
	}
	below := exe[2:]
	for _, folder := range [...]string{
		q.system[2:] + "/", "/program files/", "/program files (x86)/",
		"/programdata/microsoft/windows defender/", "/programdata/package cache/",
	} {
		if strings.HasPrefix(below, folder) {
			return true // places in it where others write have rights that say so
		}
	}
	return false
}
