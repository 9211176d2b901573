package terminate

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"server-monitor/internal/process"
)

// BenchmarkAnswer ends processes that obey at once, with an audit on the disk,
// and reports how long after the end of a process the answer is there.
func BenchmarkAnswer(b *testing.B) {
	if os.Getuid() != 0 {
		b.Skip("needs root, to run processes of other users")
	}
	audit, err := OpenAudit(filepath.Join(b.TempDir(), "audit.log"), 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer audit.Close()
	terminator := New(Config{Process: realProc, Policy: fresh(), Audit: audit, Host: realHost})
	var after []time.Duration
	for b.Loop() {
		b.StopTimer()
		v := benchmarkVictim(b)
		b.StartTimer()
		r := terminator.Terminate(b.Context(), Request{Identity: v.identity.String()})
		answered := time.Now()
		b.StopTimer()
		if r.Outcome != Terminated {
			b.Fatalf("%s %v", r.Outcome, r.Reasons)
		}
		after = append(after, answered.Sub(<-v.ended))
		b.StartTimer()
	}
	slices.Sort(after)
	b.ReportMetric(float64(after[len(after)/2].Microseconds())/1000, "p50-ms-after-exit")
	b.ReportMetric(float64(after[len(after)*99/100].Microseconds())/1000, "p99-ms-after-exit")
}

// timed is a process whose end is noted when it comes.
type timed struct {
	identity process.Identity
	ended    chan time.Time
}

// benchmarkVictim starts a process in a login session.
func benchmarkVictim(b *testing.B) *timed {
	b.Helper()
	cmd := exec.Command("/usr/bin/sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: testUID, Gid: testUID}, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	folder := makeCgroup(b, sessionFolder(testUID))
	if err := os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
		b.Fatal(err)
	}
	s, err := readStat("/proc", cmd.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	v := &timed{process.Identity{PID: cmd.Process.Pid, StartTicks: s.start, Boot: bootOf("/proc")}, make(chan time.Time, 1)}
	go func() {
		_ = unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		v.ended <- time.Now()
		_ = cmd.Wait()
	}()
	return v
}
