package token

import (
	"testing"

	"golang.org/x/sys/windows"
)

// waysToExpose are entries of access control lists by which others may read or
// write a file, in SDDL. What else exposes one is a matter of ownfile.
var waysToExpose = []string{"(A;;FR;;;WD)", "(A;;FA;;;WD)"}

// privateAccess is no such entry.
const privateAccess = ""

// setAccess gives a file to us and, as the entries say, to others.
func setAccess(t *testing.T, path, entries string) {
	t.Helper()
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	descriptor, err := windows.SecurityDescriptorFromString("D:P(A;;FA;;;" + user.User.Sid.String() + ")" + entries)
	if err != nil {
		t.Fatal(err)
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := windows.CreateFile(name, windows.WRITE_DAC, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(file)
	if err := windows.SetKernelObjectSecurity(file, windows.DACL_SECURITY_INFORMATION, descriptor); err != nil {
		t.Fatal(err)
	}
}
