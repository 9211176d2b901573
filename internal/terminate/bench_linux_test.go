package terminate

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// BenchmarkAnswer ends processes that obey at once, with an audit on the disk and
// the database up, slow and away, and reports how long a request takes, and how
// long after the end of a process the answer is there.
func BenchmarkAnswer(b *testing.B) {
	for _, database := range []struct {
		name  string
		state policy.State
		takes time.Duration
	}{
		{"up", policy.Fresh, time.Millisecond}, {"slow", policy.Fresh, 300 * time.Millisecond}, {"down", policy.Degraded, time.Hour},
	} {
		b.Run("database="+database.name, func(b *testing.B) {
			benchmarkAnswer(b, &delayedPolicy{answering(database.state), database.takes})
		})
	}
}

// delayedPolicy answers after a while, or when its time is up.
type delayedPolicy struct {
	*fakePolicy
	takes time.Duration
}

func (p *delayedPolicy) Consult(ctx context.Context, s policy.Subject) policy.Consultation {
	select {
	case <-time.After(p.takes):
	case <-ctx.Done():
	}
	return p.fakePolicy.Consult(ctx, s)
}

func benchmarkAnswer(b *testing.B, consultant policy.Consultant) {
	if os.Getuid() != 0 {
		b.Skip("needs root, to run processes of other users")
	}
	audit, err := OpenAudit(filepath.Join(b.TempDir(), "audit.log"), 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer audit.Close()
	terminator := New(Config{Process: realProc, Policy: consultant, Audit: audit, Host: realHost})
	var after, whole []time.Duration
	for b.Loop() {
		b.StopTimer()
		v := benchmarkVictim(b)
		b.StartTimer()
		began := time.Now()
		r := terminator.Terminate(b.Context(), Request{Identity: v.identity.String()})
		answered := time.Now()
		b.StopTimer()
		if r.Outcome != Terminated {
			b.Fatalf("%s %v", r.Outcome, r.Reasons)
		}
		after, whole = append(after, answered.Sub(<-v.ended)), append(whole, answered.Sub(began))
		b.StartTimer()
	}
	for of, all := range map[string][]time.Duration{"after-exit": after, "request": whole} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms-"+of)
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms-"+of)
	}
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
