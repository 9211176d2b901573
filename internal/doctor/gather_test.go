package doctor

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"server-monitor/internal/process"
)

// TestCanAppend checks that a file is tried without a trace.
func TestCanAppend(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "audit")
	if err := canAppend(path); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := canAppend(path); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "x" {
		t.Errorf("changed to %q", text)
	}
	for _, bad := range []string{folder, filepath.Join(folder, "none", "audit")} {
		if canAppend(bad) == nil {
			t.Errorf("%s can be written", bad)
		}
	}
}

// TestTryListener has an address that is free, one that is ours, and one that
// this machine does not have.
func TestTryListener(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	got := tryListener(t.Context(), Listener{Flag: "web.listen-address", Address: address}, nil)
	if !got.InUse || got.Err == nil || got.Owner != "" {
		t.Errorf("%+v", got)
	}
	there := taken.Addr().(*net.TCPAddr).AddrPort()
	listening := func(pid int, name string, sockets ...process.Socket) process.Process {
		return process.Process{Identity: process.Identity{PID: pid}, Facts: &process.Facts{Name: name}, Listen: sockets}
	}
	owner := listening(7, "server-monitor", process.Socket{Protocol: process.TCP, Addr: there})
	other := listening(6, "other", process.Socket{Protocol: process.UDP, Addr: there}, process.Socket{Protocol: process.TCP, Addr: there, Foreign: true})
	got = tryListener(t.Context(), got, &process.Snapshot{Processes: []process.Process{other, owner}})
	if got.Owner != "server-monitor" || got.PID != 7 {
		t.Errorf("%+v", got)
	}
	if f := checkListener(&got); f.Level != OK {
		t.Errorf("%+v", f)
	}
	got = tryListener(t.Context(), Listener{Flag: "web.listen-address", Address: "192.0.2.1:0"}, nil)
	if got.InUse || got.Err == nil || checkListener(&got).Level != Failed {
		t.Errorf("%+v", got)
	}
}
