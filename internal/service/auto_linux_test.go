package service

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A machine below another root: systemd is looked for, and reached, there.
func TestAutoBelowRoot(t *testing.T) {
	root := t.TempDir()
	config := Config{Root: root, Configured: []string{"nginx"}, Timeout: short}
	a := NewAuto(config, tableOf(listening(sleeper(7, 1, "nginx"))), quiet())
	defer a.Close()

	fromTable := map[string]seen{"nginx": {Active, ProcessTable}}
	if diff := cmp.Diff(fromTable, seenOf(asked(t, a))); diff != "" {
		t.Error(diff)
	}

	for _, folder := range []string{"run/systemd/system", "run/dbus"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	services, err := a.Services(t.Context())
	if !errors.Is(err, ErrManagerAway) {
		t.Errorf("no bus, but error %v", err)
	}
	if diff := cmp.Diff(fromTable, seenOf(byName(t, services))); diff != "" {
		t.Error(diff)
	}

	f := newFakeSystemd(t, fakeOf("nginx.service", "loaded failed failed", nil))
	if err := os.Symlink(f.socket, filepath.Join(root, "run/dbus/system_bus_socket")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]seen{"nginx": {Failed, Systemd}}, seenOf(asked(t, a))); diff != "" {
		t.Error(diff)
	}

	if err := os.RemoveAll(filepath.Join(root, "run/systemd")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromTable, seenOf(asked(t, a))); diff != "" {
		t.Error(diff)
	}
}
