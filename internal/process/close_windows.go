package process

import (
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32             = windows.NewLazySystemDLL("user32.dll")
	postMessage        = user32.NewProc("PostMessageW")
	getWindow          = user32.NewProc("GetWindow")
	isWindowVisible    = user32.NewProc("IsWindowVisible")
	enumWindowsForPost = sync.OnceValue(func() uintptr { return windows.NewCallback(askWindow) }) // callbacks are never freed
)

const (
	wmClose = 0x0010
	gwOwner = 4
)

// asking is one round through the windows of a desktop.
type asking struct {
	pid   uint32
	asked int
}

// askWindow asks a window to close (WM_CLOSE) if it is a main window of the
// process: one that can be seen and that no other owns.
func askWindow(window windows.HWND, a *asking) uintptr {
	var pid uint32
	if _, err := windows.GetWindowThreadProcessId(window, &pid); err != nil || pid != a.pid {
		return 1
	}
	if owner, _, _ := getWindow.Call(uintptr(window), gwOwner); owner != 0 {
		return 1
	}
	if visible, _, _ := isWindowVisible.Call(uintptr(window)); visible == 0 {
		return 1 // as the windows of input methods and of drag and drop
	}
	if posted, _, _ := postMessage.Call(uintptr(window), wmClose, 0, 0); posted != 0 {
		a.asked++
	}
	return 1
}

// CloseWindows asks the process to end as a user does who closes its windows,
// and tells how many it asked. It reaches the windows of our own desktop alone:
// a service none of a user's; programs of a console have none.
func (h *Handle) CloseWindows() (int, error) {
	for _, proc := range [...]*windows.LazyProc{postMessage, getWindow, isWindowVisible} {
		if err := proc.Find(); err != nil {
			return 0, fmt.Errorf("close windows of process %d: %w", h.pid, err)
		}
	}
	// Windows hands the address on to askWindow, so that it must not be on the
	// stack, which moves; a handle never is.
	a := &h.asking
	*a = asking{pid: uint32(h.pid)}
	if err := windows.EnumWindows(enumWindowsForPost(), unsafe.Pointer(a)); err != nil {
		return a.asked, fmt.Errorf("close windows of process %d: %w", h.pid, err)
	}
	return a.asked, nil
}
