package ownfile

import (
	"crypto/sha1" //nolint:gosec // that is how Windows makes the identifier
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ServiceName is what server-monitor is called as a service.
const ServiceName = "server-monitor"

// EventSource is where the registry has it as a source of events.
const EventSource = `SYSTEM\CurrentControlSet\Services\EventLog\Application\` + ServiceName

// ServiceSID is the security identifier of a service, which its process bears
// whatever account it runs as: S-1-5-80 and the SHA-1 of its name in capitals
// ([MS-DTYP] 2.4.2.4, "sc.exe showsid").
func ServiceSID(name string) string {
	var text []byte
	for _, unit := range utf16.Encode([]rune(strings.ToUpper(name))) {
		text = binary.LittleEndian.AppendUint16(text, unit)
	}
	sum := sha1.Sum(text) //nolint:gosec // no secret
	var sid strings.Builder
	sid.WriteString("S-1-5-80")
	for part := sum[:]; len(part) > 0; part = part[4:] {
		fmt.Fprintf(&sid, "-%d", binary.LittleEndian.Uint32(part))
	}
	return sid.String()
}

// Errors of [Exposed].
var (
	// ErrExposed says that others than its owner may read or change a file.
	ErrExposed = errors.New("other users may read or write it")
	errNoList  = errors.New("it has no access control list: everybody may do everything")
)

// Exposed tells why a file is not for its owner, administrators and services
// alone.
func Exposed(file *os.File) error {
	descriptor, err := windows.GetSecurityInfo(windows.Handle(file.Fd()), windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read its access control list: %w", err)
	}
	self, err := ourSID()
	if err != nil {
		return fmt.Errorf("ask who we are: %w", err)
	}
	return exposed(descriptor, self)
}

// touching are the rights that an entry of strangers must not grant: to read or
// to change a file, or to give oneself the right to. The generic ones stand for
// several of them.
const touching = changing | windows.FILE_READ_DATA | windows.GENERIC_READ

// changing are those of them by which a file is changed or removed, of a folder
// those by which what is in it can be.
const changing windows.ACCESS_MASK = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | fileDeleteChild | windows.DELETE |
	windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL | windows.MAXIMUM_ALLOWED

const fileDeleteChild = 0x40 // FILE_DELETE_CHILD

// exposed judges the descriptor of a file that only its owner may read.
func exposed(descriptor *windows.SECURITY_DESCRIPTOR, self *windows.SID) error {
	return touchable(descriptor, self, touching)
}

// touchable tells why strangers have one of some rights. Entries that the file has from its folder are in
// its list as the others; those that are for what is made below it are not for
// itself. Entries that deny are not set off against those that grant: whoever
// wants the file to be private does not grant.
func touchable(descriptor *windows.SECURITY_DESCRIPTOR, self *windows.SID, rights windows.ACCESS_MASK) error {
	owner, _, err := descriptor.Owner()
	if err != nil {
		return fmt.Errorf("read its owner: %w", err)
	}
	if isWide(owner) {
		return fmt.Errorf("%w: it belongs to %s", ErrExposed, owner)
	}
	list, _, err := descriptor.DACL()
	if errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND) || err == nil && list == nil {
		return errNoList
	}
	if err != nil {
		return fmt.Errorf("read its access control list: %w", err)
	}
	for i := range uint32(list.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &entry); err != nil {
			return fmt.Errorf("read its access control list: %w", err)
		}
		if err := touchableBy(entry, owner, self, rights); err != nil {
			return err
		}
	}
	return nil
}

// Types of entries ([MS-DTYP] 2.4.4.1). Those of callbacks begin like those
// without; those of objects do not stand in lists of files.
const (
	aceAllowed         = 0
	aceDenied          = 1
	aceAllowedCallback = 9
	aceDeniedCallback  = 10
)

// touchableBy judges one entry.
func touchableBy(entry *windows.ACCESS_ALLOWED_ACE, owner, self *windows.SID, rights windows.ACCESS_MASK) error {
	if entry.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 {
		return nil
	}
	switch entry.Header.AceType {
	case aceDenied, aceDeniedCallback:
		return nil
	case aceAllowed, aceAllowedCallback:
	default:
		return fmt.Errorf("%w: its access control list has an entry of type %d", ErrExposed, entry.Header.AceType)
	}
	sid := (*windows.SID)(unsafe.Pointer(&entry.SidStart))
	if entry.Mask&rights == 0 || sid.Equals(owner) || sid.Equals(self) || isTrusted(sid) {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrExposed, sid)
}

// isTrusted tells who may read every file anyway, and accounts of services.
func isTrusted(sid *windows.SID) bool {
	const ownerRights = "S-1-3-4" // limits or grants what the owner may
	wellKnown := slices.ContainsFunc([]windows.WELL_KNOWN_SID_TYPE{
		windows.WinLocalSystemSid, windows.WinBuiltinAdministratorsSid, windows.WinLocalServiceSid, windows.WinNetworkServiceSid,
	}, sid.IsWellKnown)
	text := sid.String()
	return wellKnown || text == ownerRights || strings.HasPrefix(text, "S-1-5-80-") && text != allServices
}

// allServices is the group NT SERVICE\ALL SERVICES.
const allServices = "S-1-5-80-0"

// isWide tells groups that ordinary users are in.
func isWide(sid *windows.SID) bool {
	return slices.ContainsFunc([]windows.WELL_KNOWN_SID_TYPE{
		windows.WinWorldSid, windows.WinAuthenticatedUserSid, windows.WinInteractiveSid, windows.WinNetworkSid,
		windows.WinAnonymousSid, windows.WinBuiltinUsersSid, windows.WinBuiltinGuestsSid,
	}, sid.IsWellKnown)
}

// KeepAccess gives a new file the access control list of an old one, where that
// is private: the grants that an administrator has added last.
func KeepAccess(old string, file *os.File) error {
	opened, err := Open(old)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer opened.Close()
	if err := Exposed(opened); err != nil {
		return err
	}
	descriptor, err := windows.GetSecurityInfo(windows.Handle(opened.Fd()), windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read its access control list: %w", err)
	}
	return setAccess(file.Name(), descriptor)
}
