package process

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// rawProcess is what one system call tells of every process, whoever asks:
// SYSTEM_PROCESS_INFORMATION.
type rawProcess struct {
	pid, parent int
	session     int
	name        []uint16 // lies in the buffer of the list
	created     uint64   // in units of 100 ns since 1601
	cpu         uint64   // in units of 100 ns
	workingSet  uint64
	threads     int
	handles     int
	state       State
}

// processList reads the list of all processes. Its buffer is used again.
type processList struct {
	buffer []uint64 // of words, for their alignment
}

// listSlack is left free for processes that start between two calls.
const listSlack = 64 << 10

// read fills the buffer and returns the part that was written.
func (l *processList) read() ([]byte, error) {
	for {
		if l.buffer == nil {
			l.buffer = make([]uint64, listSlack)
		}
		size := uint32(len(l.buffer) * 8)
		var need uint32
		err := windows.NtQuerySystemInformation(windows.SystemProcessInformation, unsafe.Pointer(&l.buffer[0]), size, &need)
		if err == nil {
			if need == 0 || need > size {
				need = size
			}
			return unsafe.Slice((*byte)(unsafe.Pointer(&l.buffer[0])), need), nil
		}
		if !errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) || size > 1<<30 {
			return nil, fmt.Errorf("list processes: %w", err)
		}
		l.buffer = make([]uint64, (max(need, size)+listSlack)/8+1)
	}
}

// Sizes of the structures that follow one another in the list.
const (
	rawProcessSize = int(unsafe.Sizeof(windows.SYSTEM_PROCESS_INFORMATION{}))
	rawThreadSize  = int(unsafe.Sizeof(rawThread{}))
)

// rawThread is SYSTEM_THREAD_INFORMATION, of which each process has as many as
// it has threads right behind itself.
type rawThread struct {
	kernelTime, userTime, createTime int64
	waitTime                         uint32
	startAddress                     uintptr
	process, thread                  uintptr
	priority, basePriority           int32
	contextSwitches                  uint32
	state, waitReason                uint32
}

// The states and reasons of KTHREAD_STATE and KWAIT_REASON that matter here.
const (
	threadRunning   = 2
	threadWaiting   = 5
	reasonSuspended = 5
)

// errList says that the list is not in the form that it must have.
var errList = errors.New("the list of processes is malformed")

// parseProcesses calls found for each process of a list. Whatever the bytes
// are, it reads none that are not part of list.
func parseProcesses(list []byte, found func(p *rawProcess)) error {
	var p rawProcess
	for offset := 0; ; {
		if offset < 0 || len(list)-offset < rawProcessSize {
			return errList
		}
		info := copied[windows.SYSTEM_PROCESS_INFORMATION](list[offset:])
		next := int(info.NextEntryOffset)
		end := len(list)
		if next != 0 {
			if next < rawProcessSize || next > len(list)-offset {
				return errList
			}
			end = offset + next
		}
		p = rawProcess{
			pid: int(info.UniqueProcessID), parent: int(info.InheritedFromUniqueProcessID),
			session: int(info.SessionID), created: uint64(info.CreateTime),
			cpu: uint64(info.UserTime) + uint64(info.KernelTime), workingSet: uint64(info.WorkingSetSize),
			threads: int(info.NumberOfThreads), handles: int(info.HandleCount),
			name: nameIn(list, &info.ImageName),
		}
		p.state = stateOfThreads(list[offset+rawProcessSize:end], p.threads)
		found(&p)
		if next == 0 {
			return nil
		}
		offset += next
	}
}

// copied is a structure from the beginning of some bytes, which may lie anywhere
// in memory: not every system that has this call aligns its entries.
func copied[T any](text []byte) T {
	var made T
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&made)), unsafe.Sizeof(made)), text)
	return made
}

// nameIn is a text that lies in the buffer itself; nothing where it does not.
func nameIn(list []byte, text *windows.NTUnicodeString) []uint16 {
	start := uintptr(unsafe.Pointer(text.Buffer)) - uintptr(unsafe.Pointer(&list[0]))
	length := uintptr(text.Length)
	size := uintptr(len(list))
	if text.Buffer == nil || length < 2 || start > size || length > size-start || start%2 != 0 {
		return nil
	}
	return unsafe.Slice((*uint16)(unsafe.Pointer(&list[start])), length/2)
}

// stateOfThreads tells the state of a process by its threads: it runs where one
// of them does, is stopped where all are suspended, and has ended where there is
// none any more.
func stateOfThreads(threads []byte, count int) State {
	if count == 0 {
		return Zombie
	}
	suspended := true
	for i := 0; i < count && len(threads) >= rawThreadSize; i++ {
		t := copied[rawThread](threads)
		threads = threads[rawThreadSize:]
		if t.state == threadRunning {
			return Running
		}
		suspended = suspended && t.state == threadWaiting && t.waitReason == reasonSuspended
		if i == count-1 && suspended {
			return Stopped
		}
	}
	return Sleeping
}
