package process

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Handle holds one process, alive or ended: as long as it is open, the pid is
// not used again. All is read, and the process is ended, through it.
type Handle struct {
	handle  windows.Handle
	pid     int
	created uint64
	mayEnd  bool // we have the right to end it
	boot    string
	queries *queries
	asking  asking
}

// The rights that a handle has, and those that are left where the right to end
// the process is refused.
const (
	seeRights = windows.PROCESS_QUERY_LIMITED_INFORMATION | windows.SYNCHRONIZE
	endRights = seeRights | windows.PROCESS_TERMINATE
)

// Open takes hold of a process. It fails with [ErrGone] where there is none,
// and with an error that is [io/fs.ErrPermission] where it may not even be
// looked at.
func Open(_ Config, pid int) (*Handle, error) {
	if pid <= 0 {
		return nil, fmt.Errorf("open process %d: %w", pid, ErrGone)
	}
	boot, err := BootID()
	if err != nil {
		return nil, err
	}
	h := &Handle{pid: pid, mayEnd: true, boot: boot, queries: newQueries()}
	h.handle, err = openPID(pid, endRights)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		h.mayEnd = false
		h.handle, err = openPID(pid, seeRights)
	}
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	if h.created, err = createdAt(h.handle); err != nil {
		h.Close()
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	return h, nil
}

// Close lets go of the process. It may be called twice.
func (h *Handle) Close() {
	if h.handle != 0 {
		_ = windows.CloseHandle(h.handle)
		h.handle = 0
	}
}

// Identity names the process.
func (h *Handle) Identity() Identity {
	return Identity{PID: h.pid, StartTicks: h.created, Boot: h.boot}
}

// Facts reads everything anew. What may not be seen is left empty and noted in
// Denied.
func (h *Handle) Facts() (Live, error) {
	exited, err := h.Exited()
	if err != nil {
		return Live{}, fmt.Errorf("read process %d: %w", h.pid, err)
	}
	number := ^uint32(0)
	_ = windows.ProcessIdToSessionId(uint32(h.pid), &number)
	facts := &Facts{Root: "/", UID: -1, Windows: &Windows{Session: session(int(number))}}
	live := Live{Process: Process{
		Identity: h.Identity(), PPID: h.parent(), State: Running, Kernel: isKernel(h.pid), OpenFDs: -1,
		StartTime: timeOf(h.created), Facts: facts,
	}, Exited: exited, LoginUID: -1, AuditSession: -1, PIDs: []int{h.pid}}
	if exited {
		live.State = Zombie
		return live, nil
	}
	live.Denied = h.queries.describe(h.handle, facts, "")
	live.Comm = facts.Name
	if sid := facts.Windows.SID; sid != "" {
		facts.User = newAccounts().name(sid)
	}
	if facts.Exe != "" {
		facts.File = h.queries.fileAt(facts.Exe)
	}
	var services hosted
	services.refresh()
	defer services.close()
	facts.Unit = services.names[h.pid]
	return live, nil
}

// parent is the pid of the parent, whoever bears it now.
func (h *Handle) parent() int {
	var info windows.PROCESS_BASIC_INFORMATION
	err := windows.NtQueryInformationProcess(h.handle, windows.ProcessBasicInformation, unsafe.Pointer(&info), uint32(unsafe.Sizeof(info)), nil)
	if err != nil {
		return 0
	}
	return int(info.InheritedFromUniqueProcessId)
}

// Exited tells whether the process has ended.
func (h *Handle) Exited() (bool, error) {
	event, err := windows.WaitForSingleObject(h.handle, 0)
	if err != nil {
		return false, fmt.Errorf("wait for process %d: %w", h.pid, err)
	}
	return event == windows.WAIT_OBJECT_0, nil
}

// Wait returns nil once the process has ended, or the cause of the end of ctx.
// Where both hold, it has ended.
func (h *Handle) Wait(ctx context.Context) error {
	cancelled, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return fmt.Errorf("wait for process %d: %w", h.pid, err)
	}
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(told)
		_ = windows.SetEvent(cancelled)
	})
	defer func() {
		if !stop() {
			<-told // who still sets the event must not set another's
		}
		_ = windows.CloseHandle(cancelled)
	}()
	event, err := windows.WaitForMultipleObjects([]windows.Handle{h.handle, cancelled}, false, windows.INFINITE)
	switch {
	case err != nil:
		return fmt.Errorf("wait for process %d: %w", h.pid, err)
	case event == windows.WAIT_OBJECT_0:
		return nil
	}
	return context.Cause(ctx)
}

// exitCode is what a process that is ended here returns.
const exitCode = 1

// Terminate ends the process at once, without asking it. It fails with [ErrGone]
// where the process has ended already.
func (h *Handle) Terminate() error {
	if exited, err := h.Exited(); err == nil && exited {
		return fmt.Errorf("end process %d: %w", h.pid, ErrGone)
	}
	if !h.mayEnd {
		return fmt.Errorf("end process %d: %w", h.pid, windows.ERROR_ACCESS_DENIED)
	}
	err := windows.TerminateProcess(h.handle, exitCode)
	if err == nil {
		return nil
	}
	if exited, waitErr := h.Exited(); waitErr == nil && exited {
		err = ErrGone // Windows says that access is denied
	}
	return fmt.Errorf("end process %d: %w", h.pid, err)
}

// Relative is a process by its identity and name.
type Relative struct {
	Identity
	Name string
}

// Children lists the processes that this one made and that live.
func (h *Handle) Children() ([]Relative, error) {
	var children []Relative
	err := eachProcess(func(p *rawProcess) {
		if p.parent == h.pid && p.created >= h.created && p.pid != h.pid && !p.state.ended() {
			children = append(children, Relative{Identity{PID: p.pid, StartTicks: p.created, Boot: h.boot}, nameOfRaw(p)})
		}
	})
	return children, err
}

// eachProcess calls found for each process of the machine.
func eachProcess(found func(p *rawProcess)) error {
	var list processList
	text, err := list.read()
	if err != nil {
		return err
	}
	return parseProcesses(text, found)
}

// Alive tells whether a process is there and has not ended.
func Alive(identity Identity) bool {
	h, err := openPID(identity.PID, seeRights)
	if err != nil {
		return false
	}
	defer func() { _ = windows.CloseHandle(h) }()
	created, err := createdAt(h)
	event, waitErr := windows.WaitForSingleObject(h, 0)
	return err == nil && created == identity.StartTicks && waitErr == nil && event != windows.WAIT_OBJECT_0
}

// Ancestors are the pids of the parents of a process up to the first, those that
// live and were made before their children.
func Ancestors(pid int) []int {
	all := make(map[int]rawProcess)
	if err := eachProcess(func(p *rawProcess) { all[p.pid] = *p }); err != nil {
		return nil
	}
	var found []int
	for {
		child, ok := all[pid]
		parent, living := all[child.parent]
		if !ok || !living || child.parent == pid || parent.created > child.created || len(found) > len(all) {
			return found
		}
		found = append(found, child.parent)
		pid = child.parent
	}
}
