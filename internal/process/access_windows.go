package process

import (
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// permit is one entry of an access list, as far as it matters who may change a
// file.
type permit struct {
	sid  string
	deny bool
	mask windows.ACCESS_MASK
}

// accessList is who owns a file or folder and who may do what with it.
type accessList struct {
	owner   string
	open    bool // there is no list: everybody may do everything
	permits []permit
}

// Rights to change what a file or folder holds, and to put something else in its
// place. A right to write to a folder is the right to make files in it.
const (
	writeRights   = windows.FILE_WRITE_DATA | windows.GENERIC_WRITE | replaceRights
	replaceRights = windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | fileDeleteChild | windows.GENERIC_ALL

	fileDeleteChild = 0x40
)

// everyone are the groups that every user, or everyone who logs in, is in:
// Everyone, Interactive, Anonymous, Authenticated Users, Users, Guests.
var everyone = []string{"S-1-1-0", "S-1-5-4", "S-1-5-7", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546"}

// sidTrustedInstaller owns what Windows itself installs.
const sidTrustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// isAdministrative tells those who may replace any file anyway. CREATOR OWNER
// stands for the owner, who is looked at apart.
func isAdministrative(sid string) bool {
	switch sid {
	case SIDSystem, "S-1-5-32-544", sidTrustedInstaller, "S-1-3-0":
		return true
	}
	return IsAdministratorSID(sid) || strings.HasPrefix(sid, "S-1-5-21-") && strings.HasSuffix(sid, "-512") // Domain Admins
}

// everyoneMay tells whether every user has one of some rights. What an earlier
// entry denies no later one gives.
func (a *accessList) everyoneMay(rights windows.ACCESS_MASK) bool {
	if a.open {
		return true
	}
	var denied windows.ACCESS_MASK
	for _, p := range a.permits {
		switch {
		case !slices.Contains(everyone, p.sid):
		case p.deny:
			denied |= p.mask
		case p.mask&rights&^denied != 0:
			return true
		}
	}
	return false
}

// administratorsOnly tells whether nobody but administrators has any of some
// rights.
func (a *accessList) administratorsOnly(rights windows.ACCESS_MASK) bool {
	if a.open || !isAdministrative(a.owner) {
		return false
	}
	for _, p := range a.permits {
		if !p.deny && p.mask&rights != 0 && !isAdministrative(p.sid) {
			return false
		}
	}
	return true
}

// readAccess reads the access list of an open file or folder.
func readAccess(h windows.Handle) (accessList, error) {
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return accessList{}, err
	}
	var a accessList
	if owner, _, err := sd.Owner(); err == nil && owner != nil {
		a.owner = owner.String()
	}
	list, _, err := sd.DACL()
	if err != nil || list == nil {
		a.open = err == nil
		return a, err
	}
	for i := range uint32(list.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &ace); err != nil {
			return accessList{}, err
		}
		deny := ace.Header.AceType == windows.ACCESS_DENIED_ACE_TYPE
		if !deny && ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE {
			continue // conditional entries give rights only where a claim is made
		}
		if ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 {
			continue // holds for what is below
		}
		sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart))
		a.permits = append(a.permits, permit{sid: sid.String(), deny: deny, mask: ace.Mask})
	}
	return a, nil
}
