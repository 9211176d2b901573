package process

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// helperOrder names the variable by which the test binary is told to be a
// helper, and what to do.
const helperOrder = "SERVER_MONITOR_TEST_HELPER"

// TestMain lets the test binary be the processes that the tests look at.
func TestMain(m *testing.M) {
	if order := os.Getenv(helperOrder); order != "" {
		if err := help(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// help does as it was told, says so in one line, and waits for the end of its
// input.
func help(order string) error {
	said := ""
	switch order {
	case "wait":
	case "listen":
		tcp, err := listenTCP()
		if err != nil {
			return err
		}
		udp, err := bindUDP()
		if err != nil {
			return err
		}
		said = tcp.Addr().String() + " " + udp
	case "spin":
		go func() {
			for burnt := 0; ; burnt++ {
				runtime.KeepAlive(burnt)
			}
		}()
	case "window":
		return window()
	}
	fmt.Println("ready", said)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	return nil
}

// listenTCP opens a port to all. Wine tells the owner of a socket only if that
// has its descriptor, which it gets when it sets an option of a socket in use.
func listenTCP() (net.Listener, error) {
	var config net.ListenConfig
	tcp, err := config.Listen(context.Background(), "tcp4", "0.0.0.0:0")
	if err != nil {
		return nil, err
	}
	raw, err := tcp.(*net.TCPListener).SyscallConn()
	if err != nil {
		return nil, err
	}
	return tcp, raw.Control(func(fd uintptr) {
		_ = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_BROADCAST, 1)
	})
}

// onWine tells whether the test runs under wine, which lacks some of Windows.
func onWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// bindUDP binds a socket of IPv4 on loopback. Package net asks for an option of it
// that wine does not know.
func bindUDP() (string, error) {
	socket, err := windows.Socket(windows.AF_INET, windows.SOCK_DGRAM, windows.IPPROTO_UDP)
	if err != nil {
		return "", err
	}
	if err := windows.SetsockoptInt(socket, windows.SOL_SOCKET, windows.SO_BROADCAST, 1); err != nil {
		return "", err
	}
	if err := windows.Bind(socket, &windows.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", err
	}
	name, err := windows.Getsockname(socket)
	if err != nil {
		return "", err
	}
	v4, ok := name.(*windows.SockaddrInet4)
	if !ok {
		return "", fmt.Errorf("bound to %v", name)
	}
	return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), uint16(v4.Port)).String(), nil //nolint:gosec // a port
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

// window opens a window and ends when it is closed.
func window() error {
	if err := drawNothing(); err != nil {
		return err
	}
	runtime.LockOSThread()
	create, show := user32.NewProc("CreateWindowExW"), user32.NewProc("IsWindow")
	message := user32.NewProc("GetMessageW")
	dispatch := user32.NewProc("DispatchMessageW")
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
	var text [64]byte // MSG
	for {
		if there, _, _ := show.Call(h); there == 0 {
			return nil // WM_CLOSE has destroyed it
		}
		if got, _, _ := message.Call(uintptr(unsafe.Pointer(&text[0])), 0, 0, 0); int32(got) <= 0 { //nolint:gosec // a BOOL
			return nil
		}
		_, _, _ = dispatch.Call(uintptr(unsafe.Pointer(&text[0])))
	}
}

// helper is a process that a test started.
type helper struct {
	*exec.Cmd
	said string
}

// startHelper starts the test binary, or a copy of it, as a helper.
func startHelper(t *testing.T, program, order string) *helper {
	t.Helper()
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
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
		said <- strings.TrimSpace(line)
	}()
	select {
	case line := <-said:
		text, ok := strings.CutPrefix(line, "ready")
		if !ok {
			t.Fatalf("the helper says %q", line)
		}
		return &helper{cmd, strings.TrimSpace(text)}
	case <-time.After(time.Minute):
		t.Fatal("the helper says nothing")
		return nil
	}
}

// copyOfTest copies the test binary.
func copyOfTest(t *testing.T, name string) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	return path
}

// newReader makes a reader that is closed in the end.
func newReader(t *testing.T) *Reader {
	t.Helper()
	r, err := NewReader(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// take makes a snapshot.
func take(t *testing.T, r *Reader) *Snapshot {
	t.Helper()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// find looks for a process in a snapshot, nil where it is not there.
func find(s *Snapshot, pid int) *Process {
	for i := range s.Processes {
		if s.Processes[i].PID == pid {
			return &s.Processes[i]
		}
	}
	return nil
}
