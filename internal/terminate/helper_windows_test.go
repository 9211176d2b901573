package terminate

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// helperOrder names the variable by which the test binary is told to be a
// helper: "wait" for its input to end, "window" for its window to be closed,
// "deaf" with a window that does not care.
const helperOrder = "SERVER_MONITOR_TEST_HELPER"

// TestMain lets the test binary be the processes that the tests end.
func TestMain(m *testing.M) {
	switch order := os.Getenv(helperOrder); order {
	case "":
		os.Exit(m.Run())
	case "wait":
		fmt.Println("ready")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	default:
		if err := window(order == "deaf"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// drawNothing lets wine make windows where there is no display, by its driver
// that draws nothing. Windows does not look there.
func drawNothing() error {
	key, _, err := registry.CreateKey(registry.CURRENT_USER, `Software\Wine\Drivers`, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer key.Close()
	return key.SetStringValue("Graphics", "null")
}

// window opens a window. A deaf one gets its messages and does not heed them.
func window(deaf bool) error {
	if err := drawNothing(); err != nil {
		return err
	}
	runtime.LockOSThread()
	user32 := windows.NewLazySystemDLL("user32.dll")
	create, exists := user32.NewProc("CreateWindowExW"), user32.NewProc("IsWindow")
	get, dispatch := user32.NewProc("GetMessageW"), user32.NewProc("DispatchMessageW")
	class, err := windows.UTF16PtrFromString("STATIC")
	if err != nil {
		return err
	}
	const overlapped = 0x10cf0000 // WS_OVERLAPPEDWINDOW | WS_VISIBLE
	h, _, err := create.Call(0, uintptr(unsafe.Pointer(class)), uintptr(unsafe.Pointer(class)), overlapped, 0, 0, 100, 100, 0, 0, 0, 0)
	if h == 0 {
		return fmt.Errorf("no window: %w", err)
	}
	fmt.Println("ready")
	var message [64]byte // MSG
	for {
		if there, _, _ := exists.Call(h); there == 0 {
			return nil // WM_CLOSE has destroyed it
		}
		if got, _, _ := get.Call(uintptr(unsafe.Pointer(&message[0])), 0, 0, 0); int32(got) <= 0 {
			return nil
		}
		if !deaf {
			_, _, _ = dispatch.Call(uintptr(unsafe.Pointer(&message[0])))
		}
	}
}

// startHelper starts the test binary as a helper.
func startHelper(t *testing.T, order string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), helperOrder+"="+order)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- line
	}()
	select {
	case line := <-said:
		if strings.TrimSpace(line) != "ready" {
			t.Fatalf("the helper says %q", line)
		}
	case <-time.After(time.Minute):
		t.Fatal("the helper says nothing")
	}
	return cmd
}
