package ownfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

// Identifiers that Windows is known to give ("sc.exe showsid").
func TestServiceSID(t *testing.T) {
	for name, want := range map[string]string{
		"TrustedInstaller": "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
		"trustedinstaller": "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
	} {
		if got := ServiceSID(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestExposed(t *testing.T) {
	self, err := windows.StringToSid("S-1-5-21-1-2-3-1001")
	if err != nil {
		t.Fatal(err)
	}
	const other = "S-1-5-21-1-2-3-1002"
	for _, c := range []struct {
		name, sddl string
		want       error
	}{
		{"private", "O:BA" + privateAccess(self.String()), nil},
		{"empty: nobody but the owner", "O:BAD:P", nil},
		{"of the owner", "O:" + other + "D:P(A;;FA;;;" + other + ")", nil},
		{"of us", "O:BAD:P(A;;FA;;;" + self.String() + ")", nil},
		{"of a service", "O:SYD:P(A;;FR;;;" + ServiceSID(ServiceName) + ")(A;;FR;;;LS)(A;;FR;;;NS)", nil},
		{"owner rights", "O:BAD:P(A;;FR;;;OW)", nil},
		{"attributes only", "O:BAD:P(A;;0x80;;;WD)(A;;RC;;;BU)", nil},
		{"for what is below only", "O:BAD:(A;OICIIO;FA;;;WD)(A;;FA;;;BA)", nil},
		{"denied", "O:BAD:(D;;FA;;;WD)(A;;FA;;;BA)", nil},
		{"everyone reads", "O:BAD:(A;;FR;;;WD)", ErrExposed},
		{"users read, from the folder", "O:BAD:AI(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)", ErrExposed},
		{"users of the machine read", "O:BAD:P(A;;FR;;;AU)", ErrExposed},
		{"another user reads", "O:BAD:P(A;;FR;;;" + other + ")", ErrExposed},
		{"another user adds", "O:BAD:P(A;;0x4;;;" + other + ")", ErrExposed},
		{"another user may take it", "O:BAD:P(A;;WO;;;" + other + ")", ErrExposed},
		{"another user may change the list", "O:BAD:P(A;;WD;;;" + other + ")", ErrExposed},
		{"generic rights", "O:BAD:P(A;;GR;;;" + other + ")", ErrExposed},
		{"all services", "O:BAD:P(A;;FR;;;S-1-5-80-0)", ErrExposed},
		{"denied and granted", "O:BAD:(D;;FA;;;BG)(A;;FR;;;BU)", ErrExposed},
		{"belongs to all users", "O:BUD:P(A;;FA;;;SY)", ErrExposed},
		{"no list", "O:BA", errNoList},
	} {
		descriptor, err := windows.SecurityDescriptorFromString(c.sddl)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err := exposed(descriptor, self); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// What we make is private in a folder that is not, and stays so when replaced.
func TestPrivateFiles(t *testing.T) {
	folder := t.TempDir()
	made, err := CreateTemp(folder, ".x.*")
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if err := Exposed(made); err != nil {
		t.Error(err)
	}
	added, err := OpenAppend(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer added.Close()
	if err := Exposed(added); err != nil {
		t.Error(err)
	}
	if err := KeepAccess(added.Name(), made); err != nil {
		t.Error(err)
	}
	if err := Exposed(made); err != nil {
		t.Error(err)
	}
}

func setTestAccess(t *testing.T, path, sddl string) {
	t.Helper()
	descriptor, err := windows.SecurityDescriptorFromString(sddl)
	if err == nil {
		err = setAccess(path, descriptor)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestExposedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	setTestAccess(t, path, "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)(A;;FR;;;WD)")
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := Exposed(file); !errors.Is(err, ErrExposed) {
		t.Errorf("everyone may read it: %v", err)
	}
	added, err := OpenAppend(path) // which mends it
	if err != nil {
		t.Fatal(err)
	}
	defer added.Close()
	if err := Exposed(file); err != nil {
		t.Error(err)
	}
}

func TestReplaceable(t *testing.T) {
	self, err := windows.StringToSid("S-1-5-21-1-2-3-1001")
	if err != nil {
		t.Fatal(err)
	}
	for sddl, want := range map[string]error{
		// As in Program Files.
		"O:" + ServiceSID("TrustedInstaller") + "D:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;FA;;;CO)(A;;0x1200a9;;;AC)": nil,
		// As in a folder that somebody has made in the root of a drive.
		"O:BAD:AI(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)(A;CIID;0x4;;;BU)": ErrExposed,
		"O:BAD:AI(A;ID;FA;;;BA)(A;ID;0x1301bf;;;AU)":                  ErrExposed,
		"O:BAD:(A;;0x40;;;BU)":                                        ErrExposed,
	} {
		descriptor, err := windows.SecurityDescriptorFromString(sddl)
		if err != nil {
			t.Fatal(err)
		}
		if err := touchable(descriptor, self, changing); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", sddl, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "program.exe")
	file, err := CreateTemp(filepath.Dir(path), "program.*.exe")
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	if err := Replaceable(file.Name()); err != nil {
		t.Error(err)
	}
	setTestAccess(t, file.Name(), "D:P(A;;FA;;;SY)(A;;FA;;;WD)")
	if err := Replaceable(file.Name()); !errors.Is(err, ErrExposed) {
		t.Errorf("everyone may write it: %v", err)
	}
}

func TestClaimFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := ClaimFolder(folder); err != nil {
			t.Fatal(err)
		}
	}
	opened, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := Exposed(opened); err != nil {
		t.Error(err)
	}
	setTestAccess(t, folder, "D:P(A;;FA;;;SY)(A;;FA;;;OW)(A;;FA;;;WD)")
	if err := ClaimFolder(folder); err != nil || Exposed(opened) != nil {
		t.Errorf("%v, %v", err, Exposed(opened))
	}
}
