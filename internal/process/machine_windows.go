package process

import (
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// timeOfDay is SYSTEM_TIMEOFDAY_INFORMATION.
type timeOfDay struct {
	boot, current, zoneBias int64
	zone, reserved          uint32
	bootBias, sleepBias     int64
}

// BootID is the boot as identities have it: the second in which the machine
// started, as its clock then said. Windows moves the time of boot when the clock
// is set, and says by how much.
var BootID = sync.OnceValues(func() (string, error) {
	var t timeOfDay
	err := windows.NtQuerySystemInformation(windows.SystemTimeOfDayInformation, unsafe.Pointer(&t), uint32(unsafe.Sizeof(t)), nil)
	if err != nil {
		return "", fmt.Errorf("boot time: %w", err)
	}
	return bootOf(t.boot, t.bootBias), nil
})

// bootOf writes a time in units of 100 ns as eight digits.
func bootOf(boot, bias int64) string {
	return fmt.Sprintf("%08x", uint32((boot-bias)/1e7))
}

// memoryStatusEx is MEMORYSTATUSEX.
type memoryStatusEx struct {
	Length, Load                                                                                    uint32
	TotalPhys, AvailPhys, TotalPageFile, AvailPageFile, TotalVirtual, AvailVirtual, ExtendedVirtual uint64
}

var globalMemoryStatusEx = windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")

// memoryStatus tells how much memory the machine has.
func memoryStatus() (memoryStatusEx, error) {
	var m memoryStatusEx
	m.Length = uint32(unsafe.Sizeof(m))
	if err := globalMemoryStatusEx.Find(); err != nil {
		return m, err
	}
	if ok, _, err := globalMemoryStatusEx.Call(uintptr(unsafe.Pointer(&m))); ok == 0 {
		return m, fmt.Errorf("memory status: %w", err)
	}
	return m, nil
}
