package process

import (
	"errors"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// hosted tells which services each process hosts, as the service control manager
// tells everybody.
type hosted struct {
	manager windows.Handle
	names   map[int]string
	buffer  []uint64 // of words, for their alignment
}

// refresh asks again. Where the manager does not answer, nobody hosts a service
// as far as it is known.
func (h *hosted) refresh() {
	h.names = nil
	if h.manager == 0 {
		manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
		if err != nil {
			return
		}
		h.manager = manager
	}
	text, count, err := h.enumerate()
	if err != nil {
		h.close() // it may have been restarted
		return
	}
	h.names = servicesByPID(text, count)
}

func (h *hosted) close() {
	if h.manager != 0 {
		_ = windows.CloseServiceHandle(h.manager)
		h.manager = 0
	}
}

// enumerate lists the services that run, into the buffer.
func (h *hosted) enumerate() ([]byte, int, error) {
	for {
		if h.buffer == nil {
			h.buffer = make([]uint64, 4<<10)
		}
		text := unsafe.Slice((*byte)(unsafe.Pointer(&h.buffer[0])), len(h.buffer)*8)
		var need, count, resume uint32
		err := windows.EnumServicesStatusEx(h.manager, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32, windows.SERVICE_ACTIVE,
			&text[0], uint32(len(text)), &need, &count, &resume, nil)
		if err == nil {
			return text, int(count), nil
		}
		if !errors.Is(err, windows.ERROR_MORE_DATA) || need == 0 || len(text) > 64<<20 {
			return nil, 0, err
		}
		h.buffer = make([]uint64, (len(text)+int(need))/8+1)
	}
}

// servicesByPID reads the names of services, each pid's joined by commas in the
// order of the alphabet.
func servicesByPID(text []byte, count int) map[int]string {
	const size = int(unsafe.Sizeof(windows.ENUM_SERVICE_STATUS_PROCESS{}))
	lists := make(map[int][]string)
	for i := range min(count, len(text)/size) {
		entry := (*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&text[i*size]))
		if pid := int(entry.ServiceStatusProcess.ProcessId); pid != 0 {
			lists[pid] = append(lists[pid], windows.UTF16PtrToString(entry.ServiceName))
		}
	}
	names := make(map[int]string, len(lists))
	for pid, list := range lists {
		slices.SortFunc(list, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
		names[pid] = strings.Join(list, ",")
	}
	return names
}
