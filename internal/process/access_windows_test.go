package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

const (
	readable = windows.FILE_GENERIC_READ | windows.FILE_GENERIC_EXECUTE
	all      = windows.STANDARD_RIGHTS_REQUIRED | windows.SYNCHRONIZE | 0x1ff
	users    = "S-1-5-32-545"
	admins   = "S-1-5-32-544"
	anna     = "S-1-5-21-1-2-3-1001"
)

func TestAccess(t *testing.T) {
	system32 := accessList{owner: sidTrustedInstaller, permits: []permit{
		{sid: sidTrustedInstaller, mask: all}, {sid: admins, mask: readable}, {sid: SIDSystem, mask: readable}, {sid: users, mask: readable},
	}}
	with := func(p ...permit) accessList {
		a := system32
		a.permits = append(p, a.permits...)
		return a
	}
	cases := []struct {
		name                     string
		access                   accessList
		everyone, administrators bool
	}{
		{"as Windows installs it", system32, false, true},
		{"no list", accessList{owner: admins, open: true}, true, false},
		{"an empty list", accessList{owner: admins}, false, true},
		{"a user owns it", accessList{owner: anna, permits: system32.permits}, false, false},
		{"users may write", with(permit{sid: users, mask: windows.FILE_WRITE_DATA}), true, false},
		{"users may delete", with(permit{sid: users, mask: windows.DELETE}), true, false},
		{"users may give rights", with(permit{sid: users, mask: windows.WRITE_DAC}), true, false},
		{"users may append", with(permit{sid: users, mask: windows.FILE_APPEND_DATA}), false, true},
		{"everyone may do all", with(permit{sid: "S-1-1-0", mask: windows.GENERIC_ALL}), true, false},
		{"denied first", with(permit{sid: users, deny: true, mask: all}, permit{sid: users, mask: windows.FILE_WRITE_DATA}), false, false},
		{"denied too late", with(permit{sid: users, mask: windows.FILE_WRITE_DATA}, permit{sid: users, deny: true, mask: all}), true, false},
		{"one user may write", with(permit{sid: anna, mask: windows.FILE_WRITE_DATA}), false, false},
		{"Administrator may write", with(permit{sid: "S-1-5-21-1-2-3-500", mask: all}), false, true},
		{"a user with a number that ends alike", with(permit{sid: "S-1-5-21-1-2-3-1500", mask: all}), false, false},
		{"the owner, whoever makes it", with(permit{sid: "S-1-3-0", mask: all}), false, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.access.everyoneMay(writeRights); got != c.everyone {
				t.Errorf("everyone may write: %v", got)
			}
			if got := c.access.administratorsOnly(writeRights); got != c.administrators {
				t.Errorf("administrators only: %v", got)
			}
		})
	}
}

// TestFileOfAnotherUsers gives a real file rights, and looks at it.
func TestFileRights(t *testing.T) {
	q := newQueries()
	folder := t.TempDir()
	path := filepath.Join(folder, "tool.exe")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	set := func(name, text string) {
		t.Helper()
		sd, err := windows.SecurityDescriptorFromString(text)
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := sd.DACL()
		if err != nil {
			t.Fatal(err)
		}
		err = windows.SetNamedSecurityInfo(name, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	own := "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;" + userSID(t) + ")"
	set(folder, own)
	set(path, own)
	if f := q.fileAt(slashed(path)); f.Writable || f.Deleted || f.Trusted || f.Inode == 0 {
		t.Errorf("one's own: %+v", f)
	}
	set(path, own+"(A;;FA;;;WD)")
	if f := q.fileAt(slashed(path)); !f.Writable {
		t.Errorf("everyone's file: %+v", f)
	}
	set(path, own)
	set(folder, own+"(A;;FA;;;WD)")
	if f := q.fileAt(slashed(path)); !f.Writable {
		t.Errorf("in everyone's folder: %+v", f)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if f := q.fileAt(slashed(path)); !f.Deleted || f.Writable {
		t.Errorf("deleted: %+v", f)
	}
	if f := q.fileAt("//server/share/tool.exe"); f != (File{}) {
		t.Errorf("on the network: %+v", f)
	}
}

func userSID(t *testing.T) string {
	t.Helper()
	who, err := newQueries().tokenOf(windows.CurrentProcess())
	if err != nil {
		t.Fatal(err)
	}
	return who.sid
}

func TestUnderSystem(t *testing.T) {
	for _, drive := range []string{"c", "d"} {
		q := &queries{system: drive + ":/windows"}
		for exe, want := range map[string]bool{
			":/Windows/System32/svchost.exe":                           true,
			":/program files/nginx/nginx.exe":                          true,
			":/Program Files (x86)/App/app.exe":                        true,
			":/ProgramData/Microsoft/Windows Defender/Platform/4.18/x": true,
			":/ProgramData/App/app.exe":                                false,
			":/WindowsX/svchost.exe":                                   false,
			":/Windows /System32/svchost.exe":                          false,
			":/Users/m/svchost.exe":                                    false,
			"":                                                         false,
		} {
			if got := q.underSystem(strings.ToUpper(drive) + exe); got != want {
				t.Errorf("underSystem(%q) = %v", drive+exe, got)
			}
		}
		if other := "e:/Windows/System32/svchost.exe"; q.underSystem(other) || q.inSystem(other) {
			t.Errorf("%q is not of this Windows", other)
		}
		for exe, want := range map[string]bool{
			":/Windows/System32/svchost.exe": true, ":/WINDOWS/SysWOW64/svchost.exe": true,
			":/Windows/svchost.exe": false, ":/Windows/Temp/system32/svchost.exe": false,
		} {
			if got := q.inSystem(drive + exe); got != want {
				t.Errorf("inSystem(%q) = %v", drive+exe, got)
			}
		}
	}
}

func TestParentFolder(t *testing.T) {
	for path, want := range map[string]string{
		"C:/a/b/c.exe": "C:/a/b", "C:/a/b": "C:/a", "C:/a": "C:/", "C:/": "", "Registry": "",
	} {
		if got := parent(path); got != want {
			t.Errorf("parent(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestNativePaths(t *testing.T) {
	q := &queries{system: "c:/windows", devices: devices{`\Device\HarddiskVolume3`: "C:", `\Device\HarddiskVolume31`: "D:"}}
	for native, want := range map[string]string{
		`\Device\HarddiskVolume3\Windows\System32\csrss.exe`: "C:/Windows/System32/csrss.exe",
		`\Device\HarddiskVolume31\x.exe`:                     "D:/x.exe",
		`\SystemRoot\System32\smss.exe`:                      "C:/windows/System32/smss.exe",
		`\Device\Mup\server\share\x.exe`:                     "//server/share/x.exe",
	} {
		if got := q.win32Path(native); got != want {
			t.Errorf("%s: %q, want %q", native, got, want)
		}
	}
	if got, ok := q.devices.resolve(`\Device\HarddiskVolume9\x.exe`); ok || got != "/Device/HarddiskVolume9/x.exe" {
		t.Errorf("an unknown device: %q, %v", got, ok)
	}
	if len(listDevices()) == 0 {
		t.Error("the machine has no drives")
	}
}
