package service

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"server-monitor/internal/process"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// sleeper makes a process that sleeps, started pid seconds after noon.
func sleeper(pid, ppid int, exe string) process.Process {
	return process.Process{
		Identity: process.Identity{PID: pid}, PPID: ppid, Comm: comm(exe), State: process.Sleeping,
		StartTime: noon.Add(time.Duration(pid) * time.Second), Facts: &process.Facts{Name: exe, Exe: "/usr/bin/" + exe},
	}
}

// comm is what the kernel keeps of a name.
func comm(name string) string { return name[:min(len(name), 15)] }

func inState(state process.State, p process.Process) process.Process {
	p.State = state
	return p
}

// zombie is what is left of a process: its executable cannot be seen.
func zombie(p process.Process) process.Process {
	p.State, p.Facts = process.Zombie, &process.Facts{Name: p.Comm}
	return p
}

func listening(p process.Process) process.Process {
	p.Listen = []process.Socket{{Protocol: process.TCP, Addr: netip.MustParseAddrPort("0.0.0.0:80")}}
	return p
}

func unseen(p process.Process) process.Process {
	p.Denied = process.DeniedSockets
	return p
}

func tableOf(processes ...process.Process) Snapshot {
	return func(context.Context) (*process.Snapshot, error) {
		return &process.Snapshot{Taken: noon, Processes: processes}, nil
	}
}

func TestProcessTable(t *testing.T) {
	kernel := inState(process.Idle, sleeper(7, 2, "nginx"))
	kernel.Kernel = true
	unknownState := sleeper(7, 1, "nginx")
	unknownState.State = 'W'
	cases := []struct {
		name      string
		processes []process.Process
		want      State
		main      int
	}{
		{"none", nil, Inactive, 0},
		{"another", []process.Process{sleeper(7, 1, "sshd")}, Inactive, 0},
		{"runs", []process.Process{inState(process.Running, sleeper(7, 1, "nginx"))}, Active, 7},
		{"waits for a disk", []process.Process{inState(process.Uninterruptible, sleeper(7, 1, "nginx"))}, Active, 7},
		{"in a state of another kernel", []process.Process{unknownState}, Active, 7},
		{"sleeps and listens", []process.Process{listening(sleeper(7, 1, "nginx"))}, Active, 7},
		{"sleeps and has a child", []process.Process{sleeper(7, 1, "nginx"), sleeper(8, 7, "cgi")}, Active, 7},
		{"sleeps and has a child that ended", []process.Process{sleeper(7, 1, "nginx"), zombie(sleeper(8, 7, "cgi"))}, Idle, 7},
		{"sleeps", []process.Process{sleeper(7, 1, "nginx")}, Idle, 7},
		{"sleeps for long", []process.Process{inState(process.Idle, sleeper(7, 1, "nginx"))}, Idle, 7},
		{"sleeps, sockets unseen", []process.Process{unseen(sleeper(7, 1, "nginx"))}, Active, 7},
		{"stopped while it listened", []process.Process{inState(process.Stopped, listening(sleeper(7, 1, "nginx")))}, Idle, 7},
		{"traced", []process.Process{inState(process.Traced, sleeper(7, 1, "nginx"))}, Idle, 7},
		{"zombie", []process.Process{zombie(sleeper(7, 1, "nginx"))}, Failed, 0},
		{"zombies", []process.Process{zombie(sleeper(7, 1, "nginx")), zombie(sleeper(8, 1, "nginx"))}, Failed, 0},
		{"dead", []process.Process{inState(process.Dead, sleeper(7, 1, "nginx"))}, Failed, 0},
		{"sleeper beside a zombie", []process.Process{zombie(sleeper(7, 1, "nginx")), sleeper(8, 1, "nginx")}, Idle, 8},
		{"zombie of a name of the same beginning", []process.Process{zombie(sleeper(7, 1, "nginx-exporter"))}, Inactive, 0},
		{"worker beside sleepers", []process.Process{sleeper(7, 1, "nginx"), listening(sleeper(8, 1, "nginx"))}, Active, 7},
		{"master and workers", []process.Process{sleeper(7, 1, "nginx"), sleeper(8, 7, "nginx"), sleeper(9, 7, "nginx")}, Active, 7},
		{"master of a higher pid", []process.Process{sleeper(7, 9, "nginx"), sleeper(8, 9, "nginx"), sleeper(9, 1, "nginx")}, Active, 9},
		{"kernel thread", []process.Process{kernel}, Inactive, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := Service{Name: "nginx", State: c.want, Source: ProcessTable, Configured: true, MainPID: c.main}
			if c.main != 0 {
				want.Since = noon.Add(time.Duration(c.main) * time.Second)
			}
			got := asked(t, NewProcessTable(Config{Configured: []string{"nginx"}}, tableOf(c.processes...)))
			if diff := cmp.Diff(map[string]Service{"nginx": want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The services that everybody expects, in the container of the seed.
func TestProcessTableOfDefaults(t *testing.T) {
	table := tableOf(
		sleeper(1, 0, "tini"),
		sleeper(10, 1, "nginx"),
		sleeper(20, 1, "rsyslogd"),
		listening(sleeper(30, 1, "python3.11")),
		sleeper(40, 1, "docker"), // the clients, not the daemons
		sleeper(50, 1, "ssh"),
	)
	want := map[string]State{"docker": Inactive, "nginx": Idle, "python": Active, "rsyslog": Idle, "sshd": Inactive}
	got := states(asked(t, NewProcessTable(Config{Configured: []string{"nginx", "sshd", "rsyslog", "docker", "python"}}, table)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProcessTableNames(t *testing.T) {
	got := states(asked(t, NewProcessTable(Config{Configured: []string{
		"b.service", "a", "b", "", "evil\n\x1b[2J", `evil\n\x1b[2J`, "\xff",
	}}, tableOf(sleeper(7, 1, "b")))))
	want := map[string]State{"a": Inactive, "b": Idle, `evil\n\x1b[2J`: Inactive, `\xff`: Inactive}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProcessTableFailure(t *testing.T) {
	broken := errors.New("no /proc")
	m := NewProcessTable(Config{Configured: []string{"a"}}, func(context.Context) (*process.Snapshot, error) { return nil, broken })
	if services, err := m.Services(t.Context()); !errors.Is(err, broken) || services != nil {
		t.Errorf("%v, error %v", services, err)
	}
}

func BenchmarkProcessTable(b *testing.B) {
	var processes []process.Process
	for i := range 3000 {
		processes = append(processes, sleeper(i+1, 1, []string{"postgres", "python3.11", "kworker-like", "nginx", "containerd-shim-runc-v2"}[i%5]))
	}
	m := NewProcessTable(Config{Configured: DefaultConfigured}, tableOf(processes...))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Services(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
