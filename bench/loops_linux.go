package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"time"

	gopsutilnet "github.com/shirou/gopsutil/v4/net"
	gopsutil "github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"

	"server-monitor/collector"
	"server-monitor/internal/inventory"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
)

// loops are the kinds of work that this program does itself, each made by a
// function that prepares it. The work returns how many bytes it gave.
var loops = map[string]func() (func() (int, error), error){
	"floor":      newFloor,
	"snapshot":   newSnapshot,
	"exposition": newExposition,
	"gopsutil":   newGopsutil,
}

// serveSubject does its work once for every line of the standard input, and
// answers with the bytes that it gave and the objects allocated since it began.
func serveSubject(args []string) error {
	runtime.GOMAXPROCS(1)
	runOnce, err := loops[args[0]]()
	if err != nil {
		return err
	}
	stop := func() {}
	defer func() { stop() }() //nolint:gocritic // stop is another one by then
	asked := bufio.NewScanner(os.Stdin)
	for begun := 0; asked.Scan(); begun++ {
		if begun == 1+warmUp {
			if stop, err = profile(args[0]); err != nil {
				return err
			}
		}
		n, err := runOnce()
		if err != nil {
			return err
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		fmt.Println(n, memory.Mallocs)
	}
	return asked.Err()
}

// profile writes a profile of the processor time of the rounds that count into
// the folder that BENCH_PROFILES names, if it does.
func profile(name string) (stop func(), err error) {
	nothing := func() {}
	folder := os.Getenv("BENCH_PROFILES")
	if folder == "" {
		return nothing, nil
	}
	file, err := os.Create(filepath.Join(folder, name+".prof"))
	if err != nil {
		return nothing, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		file.Close()
		return nothing, err
	}
	return func() {
		pprof.StopCPUProfile()
		file.Close()
	}, nil
}

// newFloor holds the stat files of all processes open.
func newFloor() (func() (int, error), error) {
	proc, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	held := map[int]int{}
	listing, buffer := make([]byte, 32<<10), make([]byte, 8<<10)
	var pids []int
	return func() (int, error) {
		var err error
		if pids, err = listPIDs(proc, listing, pids[:0]); err != nil {
			return 0, err
		}
		read := 0
		for _, pid := range pids {
			fd, ok := held[pid]
			if ok {
				if n, err := unix.Pread(fd, buffer, 0); err == nil {
					read += n
					continue
				}
				unix.Close(fd)
				delete(held, pid)
			}
			if fd, err = unix.Openat(proc, strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
				continue
			}
			held[pid] = fd
			n, _ := unix.Pread(fd, buffer, 0)
			read += n
		}
		return read, nil
	}, nil
}

// listPIDs lists a /proc directory with as few calls as can be.
func listPIDs(proc int, listing []byte, pids []int) ([]int, error) {
	if _, err := unix.Seek(proc, 0, 0); err != nil {
		return pids, err
	}
	for {
		n, err := unix.Getdents(proc, listing)
		if err != nil || n == 0 {
			return pids, err
		}
		for entry := listing[:n]; len(entry) > 0; {
			size := binary.NativeEndian.Uint16(entry[16:])
			pid, digits := 0, true
			for _, c := range entry[19:size] {
				if c == 0 {
					break
				}
				digits = digits && c-'0' <= 9
				pid = pid*10 + int(c-'0')
			}
			if digits {
				pids = append(pids, pid)
			}
			entry = entry[size:]
		}
	}
}

// newSnapshot reads what server-monitor reads, and does nothing with it.
func newSnapshot() (func() (int, error), error) {
	r, err := process.NewReader(process.Config{Proc: "/proc", Root: "/"})
	if err != nil {
		return nil, err
	}
	return func() (int, error) {
		s, err := r.Snapshot(context.Background())
		if err != nil {
			return 0, err
		}
		return len(s.Processes), nil
	}, nil
}

// replay gives the same processes again and again, each having spent a little
// more.
type replay struct{ first *process.Snapshot }

func (r *replay) Snapshot(context.Context) (*process.Snapshot, error) {
	again := *r.first
	again.Taken = time.Now()
	again.Processes = slices.Clone(r.first.Processes)
	for i := range again.Processes {
		r.first.Processes[i].CPUSeconds += 0.01
	}
	return &again, nil
}

// newExposition judges and publishes the processes of one moment, without
// reading any.
func newExposition() (func() (int, error), error) {
	r, err := process.NewReader(process.Config{Proc: "/proc", Root: "/"})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	first, err := r.Snapshot(context.Background())
	if err != nil {
		return nil, err
	}
	keeper := inventory.NewKeeper(&replay{first}, risk.NewJudge(risk.Criteria{HighMemoryRatio: risk.DefaultHighMemoryRatio}),
		policy.Fixed{Set: policy.EmbeddedSet(policy.Linux)})
	logger := slog.New(slog.DiscardHandler)
	set := collector.NewSet(logger, map[string]collector.Collector{
		"process": collector.NewProcess(keeper, collector.ProcessConfig{
			MemoryThreshold: collector.DefaultMemoryThreshold, MaxPIDs: collector.DefaultMaxPIDs, MaxGroups: collector.DefaultMaxGroups, Language: "en",
		}, logger),
	})
	var page []byte
	return func() (int, error) {
		selected, err := set.Select(context.Background(), nil, nil)
		if err != nil {
			return 0, err
		}
		page, err = selected.AppendText(page[:0])
		return len(page), err
	}, nil
}

// newGopsutil asks gopsutil for what a snapshot of server-monitor tells of each
// process: name, executable, user, parent, state, processor time, memory,
// threads, descriptors, start, command line, and the sockets of all of them.
func newGopsutil() (func() (int, error), error) {
	return func() (int, error) {
		all, err := gopsutil.Processes()
		if err != nil {
			return 0, err
		}
		for _, p := range all {
			askGopsutil(p)
		}
		sockets, err := gopsutilnet.Connections("inet")
		return len(all) + len(sockets), err
	}, nil
}

func askGopsutil(p *gopsutil.Process) {
	_, _ = p.Name()
	_, _ = p.Exe()
	_, _ = p.Username()
	_, _ = p.Ppid()
	_, _ = p.Status()
	_, _ = p.Times()
	_, _ = p.MemoryInfo()
	_, _ = p.NumThreads()
	_, _ = p.NumFDs()
	_, _ = p.CreateTime()
	_, _ = p.CmdlineSlice()
}
