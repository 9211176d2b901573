package service

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// dated adds the moment of the last change of state, and a control group.
func dated(properties map[string]any, changed uint64, group string) map[string]any {
	properties["StateChangeTimestampMonotonic"], properties["ControlGroup"] = changed, group
	return properties
}

// groupFiles writes the files of a control group of version 2 below a root.
func groupFiles(t *testing.T, root, group string, memory, tasks, microseconds uint64) {
	t.Helper()
	folder := filepath.Join(root, "sys/fs/cgroup", group)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"memory.current": fmt.Sprintln(memory), "pids.current": fmt.Sprintln(tasks),
		"cpu.stat": fmt.Sprintf("usage_usec %d\nuser_usec 1\nsystem_usec 2\n", microseconds),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func wantUse(t *testing.T, s Service, memory, tasks uint64, cpu float64) {
	t.Helper()
	if s.MemoryBytes == nil || s.Tasks == nil || s.CPUSeconds == nil {
		t.Fatalf("%+v", s)
	}
	if *s.MemoryBytes != memory || *s.Tasks != tasks || *s.CPUSeconds != cpu {
		t.Errorf("memory %d, tasks %d, %g s; want %d, %d, %g", *s.MemoryBytes, *s.Tasks, *s.CPUSeconds, memory, tasks, cpu)
	}
}

// A change of state is seen at once, another main process within some scrapes.
func TestKeptFacts(t *testing.T) {
	properties := dated(running(1), 7, "")
	f := newFakeSystemd(t, fakeOf("a.service", "loaded active running", properties))
	m := f.manager(Config{Root: t.TempDir()})
	if s := asked(t, m)["a"]; s.MainPID != 1001 || *s.Restarts != 1 {
		t.Errorf("%+v", s)
	}
	f.with(func() {
		properties["NRestarts"], properties["MainPID"], properties["StateChangeTimestampMonotonic"] = uint32(2), uint32(50), uint64(8)
	})
	if s := asked(t, m)["a"]; s.MainPID != 50 || *s.Restarts != 2 || s.StartTime == nil {
		t.Errorf("after it was restarted: %+v", s)
	}
	f.with(func() { properties["MainPID"] = uint32(60) })
	for i := 0; asked(t, m)["a"].MainPID != 60; i++ {
		if i > keptFor {
			t.Fatal("another main process is not seen")
		}
	}
	f.with(func() { f.units["a.service"] = fakeOf("a.service", "loaded failed failed", properties) })
	if s := asked(t, m)["a"]; s.State != Failed || s.MemoryBytes != nil || s.StartTime != nil {
		t.Errorf("after it failed: %+v", s)
	}
	f.with(func() { delete(f.units, "a.service") })
	if asked(t, m); len(m.kept) != 0 {
		t.Errorf("what is gone is kept: %v", m.kept)
	}
}

// What a service uses comes from its control group, and is what systemd would
// say; without the files, systemd is asked.
func TestGroupUse(t *testing.T) {
	const group = "/system.slice/a.service"
	root := t.TempDir()
	properties := dated(running(2), 7, group) // 2 MiB, 3 s, 2 tasks
	f := newFakeSystemd(t, fakeOf("a.service", "loaded active running", properties))
	m := f.manager(Config{Root: root})
	wantUse(t, asked(t, m)["a"], 2<<20, 2, 3)

	groupFiles(t, root, group, 5000, 4, 3_000_900)
	f.with(func() { properties["StateChangeTimestampMonotonic"] = uint64(8) })
	wantUse(t, asked(t, m)["a"], 5000, 4, 3.0009)
	before := f.calls["MemoryCurrent"]
	groupFiles(t, root, group, 6000, 5, 4_000_000)
	wantUse(t, asked(t, m)["a"], 6000, 5, 4)
	f.with(func() {
		if n := f.calls["MemoryCurrent"]; n != before {
			t.Errorf("systemd was asked %d times more", n-before)
		}
	})

	if err := os.RemoveAll(filepath.Join(root, "sys")); err != nil {
		t.Fatal(err)
	}
	wantUse(t, asked(t, m)["a"], 2<<20, 2, 3)
}

// A group that outlives an activation has used something before it; a reload is
// no new activation, and the counter does not go back in it.
func TestGroupUseBefore(t *testing.T) {
	const group = "/system.slice/a.service"
	root := t.TempDir()
	groupFiles(t, root, group, 5000, 4, 103_000_000)
	properties := dated(running(2), 7, group)
	f := newFakeSystemd(t, fakeOf("a.service", "loaded active running", properties))
	m := f.manager(Config{Root: root})
	wantUse(t, asked(t, m)["a"], 5000, 4, 3)
	groupFiles(t, root, group, 5000, 4, 104_000_000)
	f.with(func() { properties["StateChangeTimestampMonotonic"] = uint64(8) }) // systemd still says 3 s
	wantUse(t, asked(t, m)["a"], 5000, 4, 4)
	f.with(func() {
		properties["StateChangeTimestampMonotonic"], properties["ActiveEnterTimestamp"], properties["CPUUsageNSec"] = uint64(9), uint64(1_700_000_001_000_000), uint64(0)
	})
	wantUse(t, asked(t, m)["a"], 5000, 4, 0)
}

// What systemd does not account for is not told, whatever the files say.
func TestGroupUseNotAccounted(t *testing.T) {
	const group = "/system.slice/a.service"
	root := t.TempDir()
	groupFiles(t, root, group, 5000, 4, 9)
	properties := dated(running(1), 7, group)
	properties["MemoryCurrent"] = ^uint64(0)
	f := newFakeSystemd(t, fakeOf("a.service", "loaded active running", properties))
	m := f.manager(Config{Root: root})
	for range 3 {
		if s := asked(t, m)["a"]; s.MemoryBytes != nil || s.Tasks == nil || *s.Tasks != 4 {
			t.Errorf("%+v", s)
		}
	}
}

func FuzzUsage(f *testing.F) {
	f.Add([]byte("usage_usec 12\nuser_usec 1\n"))
	f.Add([]byte("nr_periods 0\nusage_usec x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if n, ok := usage(text); !ok && n != 0 {
			t.Errorf("%d of %q", n, text)
		}
	})
}
