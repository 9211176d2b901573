package process

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"server-monitor/internal/process/proctest"
)

func TestParseMemoryTotal(t *testing.T) {
	for text, want := range map[string]uint64{
		"MemTotal:       16384 kB\nMemFree: 1 kB\n": 16384 << 10,
		"MemTotal: 1 kB":                  1024,
		"MemFree: 1 kB\nMemTotal: 1 kB\n": 0,
		"MemTotal:\n":                     0,
		"MemTotal: x kB\n":                0,
		"MemTotal: 1 MB\n":                0,
		"":                                0,
	} {
		if got := parseMemoryTotal([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestBootID(t *testing.T) {
	for text, want := range map[string]string{
		"5f3a1c9e-0d2b-4c68-9a7e-1b2c3d4e5f60\n": "5f3a1c9e",
		"5f3a1c9e":                               "5f3a1c9e",
		"5f3a1c9":                                "",
		"5F3A1C9E-0d2b-4c68-9a7e-1b2c3d4e5f60\n": "",
		"":                                       "",
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "sys/kernel/random/boot_id")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := bootID(dir); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := bootID(t.TempDir()); err == nil {
		t.Error("no file, and no error")
	}
}

func TestNewReaderFails(t *testing.T) {
	before := ownDescriptors(t)
	for _, proc := range []string{"", "/nonexistent", t.TempDir(), "/etc/passwd"} {
		if r, err := NewReader(Config{Proc: proc}); err == nil {
			r.Close()
			t.Errorf("a reader of %q", proc)
		}
	}
	if after := ownDescriptors(t); after != before {
		t.Errorf("%d descriptors, were %d", after, before)
	}
}

func TestBootTimeOfStat(t *testing.T) {
	for text, want := range map[string]int64{
		"cpu 1 2\nbtime 1750000000\n": 1750000000,
		"btime 7":                     7,
		"cpu 1\n":                     0,
		"btime x\n":                   0,
	} {
		file := filepath.Join(t.TempDir(), "stat")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := bootTimeOfStat(file)
		if (err == nil) != (want != 0) || err == nil && got.Unix() != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// TestClockIsSet moves the start times of all, with a new revision.
func TestClockIsSet(t *testing.T) {
	f := proctest.Small().Write(t)
	r := fixtureReader(t, f)
	first := *look(t, r, 902)
	if want := time.Unix(proctest.BootTime, 0).Add(5200 * time.Millisecond); !first.StartTime.Equal(want) {
		t.Errorf("started %v, want %v", first.StartTime, want)
	}
	if err := os.Chmod(filepath.Join(f.Proc, "stat"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.Proc, "stat"), []byte("btime 1750003600\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	second := look(t, r, 902)
	if second.StartTime.Sub(first.StartTime) != time.Hour || second.Revision == first.Revision || second.Identity != first.Identity {
		t.Errorf("started %v, was %v; revision %d, was %d", second.StartTime, first.StartTime, second.Revision, first.Revision)
	}
}

// TestBootTimeKeepsStill lets no correction of the clock move start times.
func TestBootTimeKeepsStill(t *testing.T) {
	r := realReader(t)
	first, err := r.bootTime()
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range []time.Duration{0, 300 * time.Millisecond, -900 * time.Millisecond} {
		r.boot = first.Add(off)
		if again, err := r.bootTime(); err != nil || !again.Equal(r.boot) {
			t.Errorf("clock corrected by %v: %v, was %v", off, again, r.boot)
		}
	}
	r.boot = first.Add(time.Minute)
	if again, err := r.bootTime(); err != nil || again.Sub(first).Abs() > 50*time.Millisecond {
		t.Errorf("clock set back: %v, want about %v", again, first)
	}
}

func FuzzParseMemoryTotal(f *testing.F) {
	f.Add([]byte("MemTotal:       16384 kB\n"))
	f.Fuzz(func(_ *testing.T, text []byte) { parseMemoryTotal(text) })
}
