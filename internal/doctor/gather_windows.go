package doctor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/shirou/gopsutil/v4/host"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"server-monitor/internal/ownfile"
	"server-monitor/internal/process"
	"server-monitor/internal/service"
)

// gatherNative asks for what only Windows has, and the clock.
func gatherNative(ctx context.Context, _ *Config, f *Facts) {
	f.Clock.Now = time.Now()
	seconds, err := host.BootTimeWithContext(ctx)
	f.Clock.Boot, f.Clock.Err = time.Unix(int64(seconds), 0), err
	w := new(Windows)
	w.Elevated = windows.GetCurrentProcessToken().IsElevated()
	w.Debug, w.TokenErr = hasPrivilege("SeDebugPrivilege")
	w.askServices(ctx)
	w.EventsErr = eventSource()
	f.Windows = w
}

// hasPrivilege tells whether our token has a privilege, switched on or not.
func hasPrivilege(name string) (bool, error) {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return false, err
	}
	var wanted windows.LUID
	if err := windows.LookupPrivilegeValue(nil, text, &wanted); err != nil {
		return false, fmt.Errorf("look up %s: %w", name, err)
	}
	privileges, err := ourPrivileges()
	return slices.ContainsFunc(privileges, func(p windows.LUIDAndAttributes) bool { return p.Luid == wanted }), err
}

// ourPrivileges lists the privileges of our token.
func ourPrivileges() ([]windows.LUIDAndAttributes, error) {
	token := windows.GetCurrentProcessToken()
	size := uint32(4 << 10)
	for {
		buffer := make([]byte, size)
		err := windows.GetTokenInformation(token, windows.TokenPrivileges, &buffer[0], size, &size)
		if err == nil {
			return (*windows.Tokenprivileges)(unsafe.Pointer(&buffer[0])).AllPrivileges(), nil
		}
		if !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) || int(size) <= len(buffer) {
			return nil, fmt.Errorf("read privileges: %w", err)
		}
	}
}

// askServices asks for all services once.
func (w *Windows) askServices(ctx context.Context) {
	none := func(context.Context) (*process.Snapshot, error) { return new(process.Snapshot), nil }
	manager := service.NewAuto(service.Config{Timeout: probeTimeout}, none, slog.New(slog.DiscardHandler))
	defer manager.Close()
	services, err := manager.Services(ctx)
	w.Services, w.ServicesErr = len(services), err
	w.Installed = slices.ContainsFunc(services, func(s service.Service) bool { return strings.EqualFold(s.Name, ownfile.ServiceName) })
}

// eventSource tells why the event log does not know us.
func eventSource() error {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, ownfile.EventSource, registry.QUERY_VALUE)
	if err != nil {
		return err
	}
	defer key.Close()
	_, _, err = key.GetStringValue("EventMessageFile")
	return err
}
