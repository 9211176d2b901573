package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"server-monitor/internal/process"
	"server-monitor/internal/service"
)

// gatherNative asks for what only Linux has, and the clock.
func gatherNative(ctx context.Context, c *Config, f *Facts) {
	f.Native = true
	proc := c.Process.Proc
	f.Kernel = Kernel{Handles: process.CanHandle(c.Process), SockDiag: process.CanListSockets(), Pressure: readPressure(proc)}
	f.Capabilities = readCapabilities(proc, c.PID)
	f.Proc = readMount(proc)
	f.Journal = readJournal(ctx, c)
	f.Clock = readClock(proc)
	f.Files.Limit, f.Files.Err = readLimit(proc, c.PID)
	systemd := service.NewSystemd(service.Config{Root: c.Process.Root, Timeout: probeTimeout})
	defer systemd.Close()
	f.Systemd = askSystemd(ctx, c.Process.Root, systemd)
}

// readPressure reads pressure stall information once: the file is there but
// cannot be read where the kernel was started with psi=0.
func readPressure(proc string) error {
	_, err := os.ReadFile(filepath.Join(proc, "pressure/cpu"))
	return err
}

// ownFile is a file of a process below /proc.
func ownFile(proc string, pid int, name string) string {
	folder := "self"
	if pid != 0 {
		folder = strconv.Itoa(pid)
	}
	return filepath.Join(proc, folder, name)
}

func readCapabilities(proc string, pid int) Capabilities {
	c := Capabilities{PID: pid}
	text, err := os.ReadFile(ownFile(proc, pid, "status"))
	if err != nil {
		c.Err = err
		return c
	}
	effective, ok := effectiveOf(string(text))
	if !ok {
		c.Err = errors.New("no CapEff in status")
	}
	c.Effective = effective
	return c
}

func readMount(proc string) Proc {
	p := Proc{Path: proc}
	text, err := os.ReadFile("/proc/self/mountinfo") // of our own mount namespace, wherever the host's is
	if err != nil {
		p.Err = err
		return p
	}
	if resolved, err := filepath.EvalSymlinks(proc); err == nil {
		proc = resolved
	}
	options, ok := mountOptions(string(text), proc)
	if !ok {
		p.Err = errors.New("no procfs is mounted there")
	}
	p.Options = options
	return p
}

// readLimit reads the limit of descriptors: the soft one of another process. Our
// own is the hard one, as Go raises the soft one to it when a program starts.
func readLimit(proc string, pid int) (uint64, error) {
	if pid == 0 {
		var limit unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return 0, fmt.Errorf("RLIMIT_NOFILE: %w", err)
		}
		return limit.Cur, nil
	}
	text, err := os.ReadFile(ownFile(proc, pid, "limits"))
	if err != nil {
		return 0, err
	}
	limit, ok := openFilesOf(string(text))
	if !ok {
		return 0, errors.New("no open files in limits")
	}
	return limit, nil
}

func readClock(proc string) Clock {
	c := Clock{Now: time.Now()}
	mounted, err := procfs.NewFS(proc)
	if err == nil {
		var stat procfs.Stat
		stat, err = mounted.Stat()
		c.Boot = time.Unix(int64(stat.BootTime), 0)
	}
	c.Err = err
	var state unix.Timex // with no modes, it only reads (adjtimex(2))
	if _, err := unix.Adjtimex(&state); err == nil {
		c.Unsynchronised = state.Status&unix.STA_UNSYNC != 0
	}
	return c
}
