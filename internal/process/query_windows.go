package process

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// queries are what questions about processes need again and again.
type queries struct {
	text    []uint16
	devices devices
	system  string // the folder of Windows, in lower case: "c:/windows"
}

func newQueries() *queries {
	q := &queries{text: make([]uint16, maxPath+16)}
	q.system = "c:/windows"
	if folder, err := windows.GetSystemWindowsDirectory(); err == nil {
		q.system = strings.ToLower(slashed(folder))
	}
	return q
}

// openPID opens the process that bears a pid. It fails with [ErrGone] where
// none does.
func openPID(pid int, access uint32) (windows.Handle, error) {
	h, err := windows.OpenProcess(access, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return 0, ErrGone
	}
	if err != nil {
		return 0, err
	}
	// OpenProcess passes over the two lowest bits of a pid.
	if id, err := windows.GetProcessId(h); err == nil && int(id) != pid {
		_ = windows.CloseHandle(h)
		return 0, ErrGone
	}
	return h, nil
}

// createdAt is when a process was made, in units of 100 ns since 1601.
func createdAt(h windows.Handle) (uint64, error) {
	created, _, _, err := timesOf(h)
	return created, err
}

// timesOf tells when a process was made and how long it ran in the kernel and
// outside, in units of 100 ns.
func timesOf(h windows.Handle) (created, kernel, user uint64, err error) {
	var c, e, k, u windows.Filetime
	if err := windows.GetProcessTimes(h, &c, &e, &k, &u); err != nil {
		return 0, 0, 0, fmt.Errorf("times: %w", err)
	}
	return ticks(c), ticks(k), ticks(u), nil
}

func ticks(f windows.Filetime) uint64 { return uint64(f.HighDateTime)<<32 | uint64(f.LowDateTime) }

// timeOf makes a time of units of 100 ns since 1601; the zero time of none.
func timeOf(created uint64) time.Time {
	if created == 0 {
		return time.Time{}
	}
	f := windows.Filetime{LowDateTime: uint32(created), HighDateTime: uint32(created >> 32)}
	return time.Unix(0, f.Nanoseconds())
}

// maxPath is the longest path that Windows knows, in UTF-16 words.
const maxPath = 1 << 15

// imageOf is the path of the executable, with '/' between its folders as
// everywhere here.
func (q *queries) imageOf(h windows.Handle) (string, error) {
	size := uint32(len(q.text))
	if err := windows.QueryFullProcessImageName(h, 0, &q.text[0], &size); err != nil {
		return "", fmt.Errorf("executable: %w", err)
	}
	path := windows.UTF16ToString(q.text[:size])
	if strings.Contains(path, "~") { // it was started by a short name, "C:\PROGRA~1"
		path = q.longPath(path)
	}
	return slashed(path), nil
}

// longPath writes the names of folders in full; a path that is no more stays as
// it is.
func (q *queries) longPath(path string) string {
	short, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return path
	}
	n, err := windows.GetLongPathName(short, &q.text[0], uint32(len(q.text)))
	if err != nil || n == 0 || int(n) >= len(q.text) {
		return path
	}
	return windows.UTF16ToString(q.text[:n])
}

// slashed writes a path as it is written everywhere here: with '/' between
// folders, and without the mark of a path that is longer than usual.
func slashed(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, `\\?\`), `\`, "/")
}

// systemProcessIDInformation is SystemProcessIdInformation: the path of an
// executable by its pid, without any right on the process.
const systemProcessIDInformation = 88

// nativeImage is the path of an executable as the kernel writes it,
// "\Device\HarddiskVolume3\Windows\System32\csrss.exe", for a process that may
// not be opened; empty where even that is not told.
func (q *queries) nativeImage(pid int) string {
	info := struct {
		pid  uintptr
		name windows.NTUnicodeString
	}{pid: uintptr(pid)}
	info.name.MaximumLength = uint16(min(2*len(q.text), 1<<16-2))
	info.name.Buffer = &q.text[0]
	err := windows.NtQuerySystemInformation(systemProcessIDInformation, unsafe.Pointer(&info), uint32(unsafe.Sizeof(info)), nil)
	if err != nil || info.name.Length == 0 {
		return ""
	}
	return windows.UTF16ToString(q.text[:min(len(q.text), int(info.name.Length/2))])
}

// protectionOf tells whether the kernel shields a process, and whether Windows
// stops when it ends. A kernel that does not know what is asked has no such
// processes.
func protectionOf(h windows.Handle) (protected, critical bool, err error) {
	var level struct{ level byte } // PS_PROTECTION
	if err := query(h, windows.ProcessProtectionInformation, unsafe.Pointer(&level), unsafe.Sizeof(level)); err != nil {
		return false, false, fmt.Errorf("protection: %w", err)
	}
	var breaks uint32
	if err := query(h, windows.ProcessBreakOnTermination, unsafe.Pointer(&breaks), unsafe.Sizeof(breaks)); err != nil {
		return false, false, fmt.Errorf("break on termination: %w", err)
	}
	return level.level != 0, breaks != 0, nil
}

// query asks the kernel for a fact that it may not know of: then it stays zero.
func query(h windows.Handle, class int32, into unsafe.Pointer, size uintptr) error {
	err := windows.NtQueryInformationProcess(h, class, into, uint32(size), nil)
	if errors.Is(err, windows.STATUS_INVALID_INFO_CLASS) || errors.Is(err, windows.STATUS_NOT_IMPLEMENTED) {
		return nil
	}
	return err
}

// commandLine are the words of the command line, nil where it cannot be read: it
// may not exist, be denied, or have been overwritten by the process.
func (q *queries) commandLine(h windows.Handle) []string {
	const header = unsafe.Sizeof(windows.NTUnicodeString{})
	size := uint32(len(q.text) * 2)
	var need uint32
	if windows.NtQueryInformationProcess(h, windows.ProcessCommandLineInformation, unsafe.Pointer(&q.text[0]), size, &need) != nil {
		return nil
	}
	// The text lies right behind its description.
	length := int((*windows.NTUnicodeString)(unsafe.Pointer(&q.text[0])).Length / 2)
	text := q.text[header/2:]
	if length > len(text) {
		return nil
	}
	words, err := windows.DecomposeCommandLine(windows.UTF16ToString(text[:length]))
	if err != nil {
		return nil
	}
	return words
}

// inSystem tells an executable in the folders of Windows's own programs.
func (q *queries) inSystem(exe string) bool {
	rest, ok := strings.CutPrefix(strings.ToLower(exe), q.system)
	return ok && (strings.HasPrefix(rest, "/system32/") || strings.HasPrefix(rest, "/syswow64/"))
}
