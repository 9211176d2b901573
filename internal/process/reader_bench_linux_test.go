package process

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// sleepers starts processes that do nothing.
func sleepers(tb testing.TB, n int) {
	tb.Helper()
	for range n {
		cmd := exec.Command("/bin/sleep", "3600")
		if err := cmd.Start(); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
}

// TestSteadySnapshotHardlyAllocates keeps most of the budget of a scrape, two
// allocations for each process, for others. It counts in a pid namespace of its
// own, where nobody comes and goes meanwhile.
func TestSteadySnapshotHardlyAllocates(t *testing.T) {
	needRoot(t)
	h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Unshareflags: unix.CLONE_NEWNS})
	each, err := strconv.ParseFloat(h.do("allocations 200"), 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.2f allocations for each process", each)
	if each > 0.9 {
		t.Error("want less than one")
	}
}

// TestReadsGrowInProportion counts the calls by which snapshots read in steady
// state: one for each process, and little more for what has its turn. It counts in
// a pid namespace of its own.
func TestReadsGrowInProportion(t *testing.T) {
	needRoot(t)
	reads, calls := map[string]float64{}, map[string]float64{}
	for _, n := range []string{"100", "1000"} {
		h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Unshareflags: unix.CLONE_NEWNS})
		var ofKernel, ofReader float64
		if _, err := fmt.Sscan(h.do("reads "+n), &ofKernel, &ofReader); err != nil {
			t.Fatal(err)
		}
		reads[n], calls[n] = ofKernel, ofReader
	}
	t.Logf("%.1f calls that read with 100 processes, %.1f with 1,000; %.1f calls of all kinds, %.1f", reads["100"], reads["1000"], calls["100"], calls["1000"])
	if calls["1000"] > 10.5*calls["100"] {
		t.Errorf("ten times the processes took %.2f times the calls of all kinds", calls["1000"]/calls["100"])
	}
	if calls["1000"] < 2000 || calls["1000"] > 3000 {
		t.Error("want two to three calls of all kinds for each process")
	}
	if reads["1000"] > 10.5*reads["100"] {
		t.Errorf("ten times the processes took %.2f times the calls", reads["1000"]/reads["100"])
	}
	if reads["1000"] < 1000 || reads["1000"] > 1150 {
		t.Error("want little more than one call for each process")
	}
}

// BenchmarkSnapshot compares a snapshot in steady state with the floor, one
// pread of a stat file that is open already for each process, and the list.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{300, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			sleepers(b, n)
			b.Run("floor", func(b *testing.B) { benchmarkFloor(b) })
			b.Run("snapshot", func(b *testing.B) { benchmarkSnapshot(b) })
		})
	}
}

func benchmarkSnapshot(b *testing.B) {
	b.Helper()
	r := realReader(b)
	r.youngLife = 0
	take(b, r)
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		take(b, r)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/float64(len(r.processes)), "cpu-ns/process")
}

func benchmarkFloor(b *testing.B) {
	b.Helper()
	proc, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(proc)
	buffer := make([]byte, 32<<10)
	pids, err := listPIDs(proc, buffer, nil)
	if err != nil {
		b.Fatal(err)
	}
	var held []int
	for _, pid := range pids {
		if f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil {
			b.Cleanup(func() { f.Close() })
			held = append(held, int(f.Fd()))
		}
	}
	before := cpuTime(b)
	for b.Loop() {
		if pids, err = listPIDs(proc, buffer, pids[:0]); err != nil {
			b.Fatal(err)
		}
		for _, fd := range held {
			_, _ = unix.Pread(fd, buffer, 0)
		}
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/float64(len(held)), "cpu-ns/process")
}

// cpuTime is what this process has used, in nanoseconds: others that run
// meanwhile do not count.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
