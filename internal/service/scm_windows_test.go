package service

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"

	"server-monitor/internal/process"
)

// What the machine's own manager says; of any Windows some services run.
func TestSCMOfThisMachine(t *testing.T) {
	began := time.Now().Add(-time.Hour)
	var running int
	first := &scmManager{config: Config{}, snapshot: tableOf()}
	defer first.Close()
	for _, s := range asked(t, first) {
		if s.Source != SCM || s.State == Unsupported || s.State == NotFound || s.Sub == "" || s.Name == "" {
			t.Errorf("%+v", s)
		}
		if s.State == Active && s.MainPID != 0 && s.StartType != "" && s.Account != "" {
			running = s.MainPID
		}
	}
	if running == 0 {
		t.Fatal("no service runs that has a process, a start type and an account")
	}
	table := tableOf(process.Process{Identity: process.Identity{PID: running}, StartTime: began})
	second := &scmManager{config: Config{Configured: []string{"no-such-service"}}, snapshot: table}
	defer second.Close()
	dated := 0
	for _, s := range asked(t, second) {
		if s.MainPID == running && s.StartTime != nil && s.StartTime.Equal(began) && s.Since.Equal(began) {
			dated++
		} else if s.StartTime != nil {
			t.Errorf("%+v", s)
		}
	}
	if dated == 0 {
		t.Error("the start of its process is not that of a service")
	}
	if s := asked(t, second)["no-such-service"]; s.State != NotFound || !s.Configured || s.Health() != Bad {
		t.Errorf("%+v", s)
	}
}

// Without processes, services are told all the same.
func TestSCMWithoutProcesses(t *testing.T) {
	broken := func(context.Context) (*process.Snapshot, error) { return nil, errors.New("no processes") }
	m := &scmManager{snapshot: broken}
	defer m.Close()
	if len(asked(t, m)) == 0 {
		t.Error("no services")
	}
}

// A service that somebody makes and takes away is seen to come and go, with
// what is set for it.
func TestSCMFollowsChanges(t *testing.T) {
	manager, err := mgr.Connect()
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Skip("only administrators make services")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Disconnect()
	const name = "server-monitor-test"
	made, err := manager.CreateService(name, `C:\nothing.exe`, mgr.Config{
		DisplayName: "A test of server-monitor", StartType: mgr.StartDisabled, ServiceStartName: `NT AUTHORITY\LocalService`,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	deleted := false
	defer func() {
		if !deleted {
			made.Delete()
		}
	}()
	m := &scmManager{snapshot: tableOf()}
	defer m.Close()
	s := asked(t, m)[name]
	if s.State != Inactive || s.Sub != "disabled" || s.StartType != "disabled" || s.Account != `NT AUTHORITY\LocalService` ||
		s.Description != "A test of server-monitor" || s.MainPID != 0 {
		t.Errorf("%+v", s)
	}
	if err := made.Delete(); err != nil {
		t.Fatal(err)
	}
	deleted = true
	made.Close()
	if s, ok := asked(t, m)[name]; ok {
		t.Errorf("deleted, yet %+v", s)
	}
}

// The copies that users get of a service have names that never come back.
func TestSCMLeavesOutUserServices(t *testing.T) {
	const entry = int(unsafe.Sizeof(windows.ENUM_SERVICE_STATUS_PROCESS{}))
	buffer := make([]uint64, 2*entry/8)
	entries := unsafe.Slice((*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&buffer[0])), 2)
	var texts []*uint16 // which the buffer does not keep
	for i, name := range []string{"CDPUserSvc", "CDPUserSvc_3a2f1"} {
		text, err := windows.UTF16PtrFromString(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
		entries[i].ServiceName, entries[i].DisplayName = text, text
		entries[i].ServiceStatusProcess.ServiceType = []uint32{0x60, 0xe0}[i]
	}
	if all := scmServices(buffer, 2); len(all) != 1 || all[0].name != "CDPUserSvc" {
		t.Errorf("%+v", all)
	}
	runtime.KeepAlive(texts)
}
