//go:build !linux && !windows

package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"path/filepath"
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
	for fact := range unixDenied.All() {
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
		if previous != nil && sameRevision(previous, &p) {
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
	s.Denied = maps.Clone(r.denied)
	return s, nil
}

// sameRevision tells whether nothing has changed but what changes all the time.
func sameRevision(a, b *Process) bool {
	return a.Identity == b.Identity && a.PPID == b.PPID && a.Comm == b.Comm && a.TTY == b.TTY && a.StartTime.Equal(b.StartTime) &&
		*a.Facts == *b.Facts && a.Denied == b.Denied && slices.Equal(a.Listen, b.Listen)
}

// read asks for everything about one process.
func (r *Reader) read(ctx context.Context, source *process.Process) (Process, error) {
	created, err := source.CreateTimeWithContext(ctx)
	if errors.Is(err, process.ErrorProcessNotRunning) {
		return Process{}, err
	}
	p := Process{
		Identity:  Identity{PID: int(source.Pid), StartTicks: uint64(created), Boot: r.boot},
		StartTime: time.UnixMilli(created), OpenFDs: -1, State: stateOf(ctx, source), Kernel: isKernel(source.Pid),
	}
	p.Comm, _ = source.NameWithContext(ctx)
	p.TTY, _ = source.TerminalWithContext(ctx)
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
	r.readFacts(ctx, source, &p)
	return p, nil
}

// readFacts asks for what on Linux is slow to read.
func (r *Reader) readFacts(ctx context.Context, source *process.Process, p *Process) {
	facts := &Facts{UID: -1, Name: p.Comm, Root: "/"}
	p.Facts = facts
	facts.User, _ = source.UsernameWithContext(ctx)
	if ids, err := source.UidsWithContext(ctx); err == nil && len(ids) > 1 {
		facts.UID = int(ids[1])
	}
	if p.Kernel {
		return
	}
	exe, err := source.ExeWithContext(ctx)
	if exe == "" && (err == nil || !errors.Is(err, fs.ErrNotExist)) {
		p.Denied |= DeniedExe
		if previous := r.known[p.PID]; previous == nil || previous.Identity != p.Identity {
			r.denied[DeniedExe.String()]++
		}
	}
	facts.Exe = filepath.ToSlash(exe)
	if facts.Exe != "" {
		facts.Name = facts.Exe[strings.LastIndexByte(facts.Exe, '/')+1:]
		facts.File = fileOf(facts.Exe)
	}
	if words, err := source.CmdlineSliceWithContext(ctx); err == nil {
		argv0, script, others := arguments([]byte(strings.Join(words, "\x00")), facts.Exe)
		facts.Argv0, facts.Script, facts.OtherScripts = string(argv0), string(script), string(others)
	}
}

// stateOf is the state of a process; one that the platform does not tell counts
// as running.
func stateOf(ctx context.Context, source *process.Process) State {
	words, err := source.StatusWithContext(ctx)
	if err != nil || len(words) == 0 {
		return Running
	}
	switch words[0] {
	case process.Sleep:
		return Sleeping
	case process.Zombie:
		return Zombie
	case process.Stop:
		return Stopped
	case process.Idle:
		return Idle
	case process.Blocked, process.Lock, process.Wait:
		return Uninterruptible
	}
	return Running
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
