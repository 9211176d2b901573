package process

import (
	"strings"

	"golang.org/x/sys/windows"
)

// devices names the drives by what the kernel calls them:
// "\Device\HarddiskVolume3" is "C:".
type devices map[string]string

// win32Path turns a path of the kernel's into one of Windows's, with '/' between
// its folders; a path on a device without a letter stays the kernel's.
func (q *queries) win32Path(native string) string {
	if rest, ok := strings.CutPrefix(native, `\SystemRoot\`); ok {
		return strings.ToUpper(q.system[:1]) + q.system[1:] + "/" + slashed(rest)
	}
	if rest, ok := strings.CutPrefix(native, `\Device\Mup\`); ok {
		return "//" + slashed(rest)
	}
	if path, ok := q.devices.resolve(native); ok {
		return path
	}
	q.devices = listDevices() // a drive may have come
	path, _ := q.devices.resolve(native)
	return path
}

// resolve finds the drive that a path of the kernel's lies on.
func (d devices) resolve(native string) (string, bool) {
	for device, drive := range d {
		if rest, ok := strings.CutPrefix(native, device); ok && strings.HasPrefix(rest, `\`) {
			return drive + slashed(rest), true
		}
	}
	return slashed(native), false
}

// listDevices asks which drives there are and what they stand for.
func listDevices() devices {
	d := make(devices)
	mask, err := windows.GetLogicalDrives()
	if err != nil {
		return d
	}
	var target [1024]uint16
	for letter := byte('A'); letter <= 'Z'; letter, mask = letter+1, mask>>1 {
		if mask&1 == 0 {
			continue
		}
		drive := string([]byte{letter, ':'})
		name, err := windows.UTF16PtrFromString(drive)
		if err != nil {
			continue
		}
		if _, err := windows.QueryDosDevice(name, &target[0], uint32(len(target))); err == nil {
			d[windows.UTF16ToString(target[:])] = drive
		}
	}
	return d
}
