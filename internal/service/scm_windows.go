package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"server-monitor/internal/process"
)

// scmManager asks the service control manager. Everybody may; that it tells
// nothing of a service means that its access control list forbids it.
type scmManager struct {
	config   Config
	snapshot Snapshot

	mu     sync.Mutex
	handle windows.Handle // 0 until it is first asked
	buffer []uint64       // of words, for their alignment
	kept   map[string]scmSettings
}

// maxSCMBuffer is more than any machine has services for.
const maxSCMBuffer = 64 << 20

// Services implements [Manager].
func (m *scmManager) Services(ctx context.Context) ([]Service, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all, err := m.list()
	if err != nil {
		m.disconnect() // it may have been restarted
		return nil, err
	}
	services := scmPick(m.config, all)
	m.addSettings(services)
	m.addTimes(ctx, services)
	return services, nil
}

// Close lets go of the manager.
func (m *scmManager) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.disconnect()
	return nil
}

func (m *scmManager) disconnect() {
	if m.handle != 0 {
		_ = windows.CloseServiceHandle(m.handle) // nothing can be done about it
		m.handle = 0
	}
}

// list reads all services that have processes, running or not; drivers are none.
func (m *scmManager) list() ([]scmService, error) {
	if m.handle == 0 {
		handle, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
		if err != nil {
			return nil, fmt.Errorf("open the service control manager: %w", err)
		}
		m.handle = handle
	}
	if m.buffer == nil {
		m.buffer = make([]uint64, 8<<10)
	}
	for {
		size := len(m.buffer) * 8
		var need, count, resume uint32
		err := windows.EnumServicesStatusEx(m.handle, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32, windows.SERVICE_STATE_ALL,
			(*byte)(unsafe.Pointer(&m.buffer[0])), uint32(size), &need, &count, &resume, nil)
		switch {
		case err == nil:
			return scmServices(m.buffer, int(count)), nil
		case !errors.Is(err, windows.ERROR_MORE_DATA) || need == 0 || size > maxSCMBuffer:
			return nil, fmt.Errorf("list services: %w", err)
		}
		m.buffer = make([]uint64, (size+int(need))/8+1)
	}
}

// userServiceInstance marks the copy of a service that a user gets at logon
// (SERVICE_USERSERVICE_INSTANCE). Its name ends in a number of that logon, so
// that it never comes back.
const userServiceInstance = 0x80

// scmServices reads the services of an answer, which begins with their entries
// and ends with the texts that these point to.
func scmServices(buffer []uint64, count int) []scmService {
	entries := unsafe.Slice((*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&buffer[0])), count)
	all := make([]scmService, 0, count)
	for i := range entries {
		status := &entries[i].ServiceStatusProcess
		if status.ServiceType&userServiceInstance != 0 {
			continue
		}
		all = append(all, scmService{
			name: windows.UTF16PtrToString(entries[i].ServiceName), display: windows.UTF16PtrToString(entries[i].DisplayName),
			state: status.CurrentState, exit: status.Win32ExitCode, pid: int(status.ProcessId),
		})
	}
	return all
}

// scmSettings are what an administrator has set for a service.
type scmSettings struct {
	startType, account string
	read               time.Time
}

// settingsAge is for how long settings are believed: to ask for those of all
// services takes longer than all else.
const settingsAge = 5 * time.Minute

// addSettings tells how and as whom services are started.
func (m *scmManager) addSettings(services []Service) {
	if m.kept == nil {
		m.kept = make(map[string]scmSettings)
	}
	now := time.Now()
	for i := range services {
		s := &services[i]
		if s.Source != SCM || s.State == NotFound {
			continue
		}
		kept, ok := m.kept[s.Name]
		if !ok || now.Sub(kept.read) > settingsAge {
			kept = m.settings(s.Name)
			kept.read = now
			m.kept[s.Name] = kept
		}
		s.StartType, s.Account = kept.startType, kept.account
		if s.State == Inactive && kept.startType == "disabled" {
			s.Sub = kept.startType
		}
	}
	for name, kept := range m.kept {
		if now.Sub(kept.read) > 2*settingsAge {
			delete(m.kept, name) // it is reported no more
		}
	}
}

// settings reads what is set for a service, empty where that may not be read.
func (m *scmManager) settings(name string) scmSettings {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return scmSettings{}
	}
	handle, err := windows.OpenService(m.handle, text, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		return scmSettings{}
	}
	defer windows.CloseServiceHandle(handle) //nolint:errcheck // nothing can be done about it
	buffer := make([]uint64, 1<<10)          // QueryServiceConfig needs 8 KiB at most
	config := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buffer[0]))
	var need uint32
	if err := windows.QueryServiceConfig(handle, config, uint32(len(buffer)*8), &need); err != nil {
		return scmSettings{}
	}
	var delayed windows.SERVICE_DELAYED_AUTO_START_INFO
	err = windows.QueryServiceConfig2(handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
		(*byte)(unsafe.Pointer(&delayed)), uint32(unsafe.Sizeof(delayed)), &need)
	return scmSettings{
		startType: scmStartType(config.StartType, err == nil && delayed.IsDelayedAutoStartUp != 0),
		account:   printable(windows.UTF16PtrToString(config.ServiceStartName)),
	}
}

// addTimes tells since when services run: as long as their processes, for the
// manager does not keep that.
func (m *scmManager) addTimes(ctx context.Context, services []Service) {
	snapshot, err := m.snapshot(ctx)
	if err != nil {
		return // whoever reports the processes says so
	}
	started := make(map[int]*process.Process, len(snapshot.Processes))
	for i := range snapshot.Processes {
		started[snapshot.Processes[i].PID] = &snapshot.Processes[i]
	}
	for i := range services {
		s := &services[i]
		if p := started[s.MainPID]; s.MainPID != 0 && p != nil && !p.StartTime.IsZero() {
			began := p.StartTime // a copy, which keeps no snapshot
			s.Since, s.StartTime = began, &began
		}
	}
}
