package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"

	"server-monitor/internal/ownfile"
	"server-monitor/internal/token"
)

// tokenFileOf is the token file that arguments name last.
func tokenFileOf(arguments []string) token.File {
	var file token.File
	for i, argument := range arguments {
		switch value, ok := strings.CutPrefix(argument, "--operator.token-file"); {
		case ok && strings.HasPrefix(value, "="):
			file.Path = value[1:]
		case ok && value == "" && i+1 < len(arguments):
			file.Path = arguments[i+1]
		}
	}
	return file
}

// complete sets what a service is not made with: what happens when it fails, its
// own security identifier, the privileges it keeps, and its source of events.
func (i *installConfig) complete(c *config, service *mgr.Service) error {
	actions := []mgr.RecoveryAction{
		{Type: mgr.ServiceRestart, Delay: 5 * time.Second},
		{Type: mgr.ServiceRestart, Delay: 30 * time.Second},
		{Type: mgr.ServiceRestart, Delay: 5 * time.Minute},
	}
	const day = 24 * 60 * 60 // after so many seconds without a failure it counts from the first one
	steps := []struct {
		what string
		err  error
	}{
		{"restart after a failure", service.SetRecoveryActions(actions, day)},
		{"restart after an error", service.SetRecoveryActionsOnNonCrashFailures(true)},
		{"security identifier of its own", setSIDType(service)},
		{"fewer privileges", i.setPrivileges(service)},
		{"start after the others", i.setDelayed(service)},
	}
	for _, step := range steps {
		switch {
		case errors.Is(step.err, windows.ERROR_INVALID_LEVEL): // older than Windows Vista; wine
			fmt.Fprintf(c.stderr, "This Windows does not know of a service: %s.\n", step.what)
		case step.err != nil:
			return fmt.Errorf("set up the service (%s): %w", step.what, step.err)
		}
	}
	return makeEventSource()
}

// setSIDType lets access control lists name the service, whatever its account.
func setSIDType(service *mgr.Service) error {
	kind := uint32(windows.SERVICE_SID_TYPE_UNRESTRICTED)
	return windows.ChangeServiceConfig2(service.Handle, windows.SERVICE_CONFIG_SERVICE_SID_INFO, (*byte)(unsafe.Pointer(&kind)))
}

// setDelayed lets the service start after those that a logon waits for.
func (i *installConfig) setDelayed(service *mgr.Service) error {
	if i.start != startDelayed {
		return nil
	}
	info := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}
	return windows.ChangeServiceConfig2(service.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(unsafe.Pointer(&info)))
}

// keptPrivileges are all that the service has of those of its account: to go
// through folders and, as the system, to look at processes of others.
var keptPrivileges = map[string][]string{
	accountSystem:       {"SeChangeNotifyPrivilege", "SeDebugPrivilege"},
	accountVirtual:      {"SeChangeNotifyPrivilege"},
	accountLocalService: {"SeChangeNotifyPrivilege"},
}

// setPrivileges takes all other privileges from the service.
func (i *installConfig) setPrivileges(service *mgr.Service) error {
	list := utf16.Encode([]rune(strings.Join(keptPrivileges[i.account], "\x00") + "\x00\x00"))
	info := struct{ privileges *uint16 }{&list[0]} // SERVICE_REQUIRED_PRIVILEGES_INFO
	return windows.ChangeServiceConfig2(service.Handle, windows.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, (*byte)(unsafe.Pointer(&info)))
}

// makeEventSource tells the event log how events of the service are shown: as
// their texts are.
func makeEventSource() error {
	if key, err := registry.OpenKey(registry.LOCAL_MACHINE, ownfile.EventSource, registry.QUERY_VALUE); err == nil {
		return key.Close() // of an earlier installation
	}
	if err := eventlog.InstallAsEventCreate(ownfile.ServiceName, eventlog.Error|eventlog.Warning|eventlog.Info); err != nil {
		return fmt.Errorf("make the source of events: %w", err)
	}
	return nil
}

func removeEventSource() error {
	err := eventlog.Remove(ownfile.ServiceName)
	if err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf("remove the source of events: %w", err)
	}
	return nil
}
