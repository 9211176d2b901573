//go:build !linux

package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
)

// Config says where a [Reader] reads; outside of Linux nothing of it is used.
type Config struct {
	Proc, Root string
}

// Reader makes snapshots with what gopsutil tells on this platform. It is safe
// for concurrent use; snapshots are made one after the other.
type Reader struct {
	mu       sync.Mutex
	boot     string
	known    map[int]*Process
	denied   map[string]uint64
	revision uint64
}

// NewReader makes a reader.
func NewReader(Config) (*Reader, error) {
	boot, err := host.BootTime()
	if err != nil {
		return nil, fmt.Errorf("boot time: %w", err)
	}
	r := &Reader{boot: fmt.Sprintf("%08x", uint32(boot)), known: map[int]*Process{}, denied: map[string]uint64{}}
	for fact := range anyDenied.All() {
		r.denied[fact.String()] = 0
	}
	return r, nil
}

// Close does nothing: the reader holds nothing open.
func (r *Reader) Close() {}

// Snapshot reads all processes. A process that ends meanwhile is left out, what
// may not be seen is left empty.
func (r *Reader) Snapshot(ctx context.Context) (*Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &Snapshot{Taken: time.Now()}
	all, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	if memory, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		s.MemoryTotal = memory.Total
	}
	listen := listening(ctx)
	now := make(map[int]*Process, len(all))
	for _, source := range all {
		p, err := r.read(ctx, source)
		if err != nil {
			continue // it has ended
		}
		p.Listen = listen[p.PID]
		previous := r.known[p.PID]
		if previous != nil && previous.Identity == p.Identity && *previous.Facts == *p.Facts &&
			previous.PPID == p.PPID && previous.Comm == p.Comm && previous.Denied == p.Denied && slices.Equal(previous.Listen, p.Listen) {
			p.Facts, p.Listen, p.Revision = previous.Facts, previous.Listen, previous.Revision
		} else {
			r.revision++
			p.Revision = r.revision
		}
		now[p.PID] = &p
		s.Processes = append(s.Processes, p)
	}
	r.known = now
	slices.SortFunc(s.Processes, func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
	s.Denied = make(map[string]uint64, len(r.denied))
	for fact, n := range r.denied {
		s.Denied[fact] = n
	}
	return s, nil
}

// read asks for everything about one process.
func (r *Reader) read(ctx context.Context, source *process.Process) (Process, error) {
	created, err := source.CreateTimeWithContext(ctx)
	if errors.Is(err, process.ErrorProcessNotRunning) {
		return Process{}, err
	}
	p := Process{
		Identity:  Identity{PID: int(source.Pid), StartTicks: uint64(created), Boot: r.boot},
		StartTime: time.UnixMilli(created), OpenFDs: -1, State: Running,
	}
	facts := &Facts{UID: -1}
	p.Facts = facts
	p.Comm, _ = source.NameWithContext(ctx)
	facts.Name = p.Comm
	facts.Exe, err = source.ExeWithContext(ctx)
	if err != nil && (errors.Is(err, fs.ErrPermission) || facts.Exe == "") && p.PID > 4 {
		p.Denied |= DeniedExe
		if previous := r.known[p.PID]; previous == nil || previous.Identity != p.Identity {
			r.denied[DeniedExe.String()]++
		}
	}
	facts.Exe = filepath.ToSlash(facts.Exe)
	if facts.Exe != "" {
		facts.Name = facts.Exe[strings.LastIndexByte(facts.Exe, '/')+1:]
	}
	facts.User, _ = source.UsernameWithContext(ctx)
	if ids, err := source.UidsWithContext(ctx); err == nil && len(ids) > 1 {
		facts.UID = int(ids[1])
	}
	// gopsutil cannot tell who may write to a file; what an installer put
	// where only administrators write counts as genuine.
	facts.File.Trusted = runtime.GOOS != "windows" || underSystem(facts.Exe)
	if ppid, err := source.PpidWithContext(ctx); err == nil {
		p.PPID = int(ppid)
	}
	if times, err := source.TimesWithContext(ctx); err == nil {
		p.CPUSeconds = times.User + times.System
	}
	if memory, err := source.MemoryInfoWithContext(ctx); err == nil {
		p.ResidentBytes = memory.RSS
	}
	if threads, err := source.NumThreadsWithContext(ctx); err == nil {
		p.Threads = int(threads)
	}
	return p, nil
}

// underSystem tells the folders of Windows that only administrators fill.
func underSystem(exe string) bool {
	exe = strings.ToLower(exe)
	for _, folder := range [...]string{"c:/windows/", "c:/program files/", "c:/program files (x86)/"} {
		if strings.HasPrefix(exe, folder) {
			return true
		}
	}
	return false
}

// listening lists the sockets that wait for peers by the pid of their owner.
func listening(ctx context.Context) map[int][]Socket {
	sockets := make(map[int][]Socket)
	for kind, protocol := range map[string]Protocol{"tcp": TCP, "udp": UDP} {
		connections, err := net.ConnectionsWithContext(ctx, kind)
		if err != nil {
			continue
		}
		for _, c := range connections {
			waits := protocol == TCP && c.Status == "LISTEN" || protocol == UDP && c.Raddr.Port == 0
			addr, err := netip.ParseAddr(c.Laddr.IP)
			if err != nil && (c.Laddr.IP == "*" || c.Laddr.IP == "") {
				addr, err = netip.IPv4Unspecified(), nil
			}
			if !waits || err != nil || c.Laddr.Port == 0 {
				continue
			}
			s := Socket{Protocol: protocol, Addr: netip.AddrPortFrom(addr.WithZone(""), uint16(c.Laddr.Port))}
			if pid := int(c.Pid); !slices.Contains(sockets[pid], s) {
				sockets[pid] = append(sockets[pid], s)
			}
		}
	}
	for _, list := range sockets {
		slices.SortFunc(list, compareSockets)
	}
	return sockets
}
