package collector

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/procfs"
)

func TestReadProc(t *testing.T) {
	long := filepath.Join(t.TempDir(), "long")
	want := strings.Repeat("0123456789abcde\n", 10_000)
	if err := os.WriteFile(long, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := readProc(long, func(text []byte) error {
			if string(text) != want {
				t.Errorf("%d bytes of %d", len(text), len(want))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if err := readProc(t.TempDir(), nil); err == nil {
		t.Error("read a folder")
	}
	if err := readProc("/nonexistent", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	odd := errors.New("odd")
	if err := readProc(long, func([]byte) error { return odd }); !errors.Is(err, odd) {
		t.Errorf("error %v", err)
	}
}

// TestCPULikeProcfs compares what is read of the fixtures with what package
// procfs reads.
func TestCPULikeProcfs(t *testing.T) {
	for _, folder := range []string{"testdata/proc", "testdata/proc_old"} {
		paths := Paths{Proc: folder}
		files, err := procfs.NewFS(folder)
		if err != nil {
			t.Fatal(err)
		}
		stat, err := files.Stat()
		if err != nil {
			t.Fatal(err)
		}
		want := make(map[int]cpuTimes)
		for core, s := range stat.CPU {
			want[int(core)] = cpuTimes{
				cpuTicks(s.User), cpuTicks(s.Nice), cpuTicks(s.System), cpuTicks(s.Idle),
				cpuTicks(s.Iowait), cpuTicks(s.IRQ), cpuTicks(s.SoftIRQ), cpuTicks(s.Steal),
			}
		}
		read, err := newCPUReader(paths)
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s/stat (-procfs +own):\n%s", folder, diff)
		}
	}
}

func TestParseCPUTimes(t *testing.T) {
	for text, want := range map[string]map[int]cpuTimes{
		"cpu  9 9\ncpu3 1 2 3 4 5 6 7 8 9 10\ncpu10 1\nintr 5\ncpu4 1\n": {3: {1, 2, 3, 4, 5, 6, 7, 8}, 10: {1}},
		"cpu0 18446744073709551615 -5 99999999999999999999999\n":         {0: {cpuMaxTicks, 0, cpuMaxTicks}},
		"cpu  9 9\nintr 5\n": nil, "": nil, "cpux 1\n": nil, "cpu0 x\n": nil, "cpu9999999999 1\n": nil, "cpu": nil,
	} {
		got, err := parseCPUTimes([]byte(text))
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%q: error %v, -want +got:\n%s", text, err, diff)
		}
	}
}

func TestParsePressure(t *testing.T) {
	const good = "some avg10=0.00 avg60=0.00 avg300=0.00 total=12\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
	for text, want := range map[string]string{
		good: "12 7", strings.SplitAfter(good, "\n")[0]: "12 -", "": "- -", "later total=5\n": "- -", "some total=x\n": "", "full avg10=0.00\n": "",
	} {
		totals, err := parsePressure([]byte(text))
		got := ""
		if err == nil {
			got = shown(totals.some) + " " + shown(totals.full)
		}
		if got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func shown(n *uint64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func TestNumber64(t *testing.T) {
	for word, want := range map[string]uint64{
		"0": 0, "007": 7, "18446744073709551614": math.MaxUint64 - 1, "18446744073709551615": math.MaxUint64, "18446744073709551616": math.MaxUint64,
		"99999999999999999999999": math.MaxUint64,
	} {
		if got, ok := number64([]byte(word)); got != want || !ok {
			t.Errorf("%s: %d, %v", word, got, ok)
		}
	}
	for _, word := range []string{"", "-1", "1.5", "x", " 1"} {
		if got, ok := number64([]byte(word)); ok {
			t.Errorf("%q: %d", word, got)
		}
	}
}

// TestParsersHardlyAllocate holds the readers of what changes all the time.
func TestParsersHardlyAllocate(t *testing.T) {
	paths := Paths{Proc: "testdata/proc", Root: "/"}
	cpu, boot, load, memory := made(t)(NewCPU(paths, false)), made(t)(NewBoot(paths)), made(t)(NewLoad(paths)), made(t)(NewMemory(paths))
	mounts, err := newMountLister(paths)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		read func() error
		most float64
	}{
		"cpu":        {func() error { _, err := cpu.(*cpuCollector).read(t.Context()); return err }, 6},
		"boot":       {func() error { _, err := boot.(bootCollector).read(t.Context()); return err }, 3},
		"load":       {func() error { _, err := load.(loadCollector).read(t.Context()); return err }, 6},
		"memory":     {func() error { _, err := memory.(memoryCollector).read(t.Context()); return err }, 5},
		"filesystem": {func() error { _, err := mounts(t.Context()); return err }, 4},
	} {
		if got := testing.AllocsPerRun(100, func() {
			if err := c.read(); err != nil {
				t.Fatal(err)
			}
		}); got > c.most {
			t.Errorf("%s: %v allocations, want %v at most", name, got, c.most)
		}
	}
}

// FuzzProcParsers feeds the parsers any bytes. What they take must make sense.
func FuzzProcParsers(f *testing.F) {
	for _, pattern := range []string{"testdata/*/stat", "testdata/*/meminfo", "testdata/*/loadavg", "testdata/*/pressure/*", "testdata/*/*/mountinfo"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if cores, err := parseCPUTimes(text); err == nil {
			for core, times := range cores {
				for _, ticks := range times {
					if ticks < 0 || ticks > cpuMaxTicks || core < 0 {
						t.Errorf("core %d: %v", core, times)
					}
				}
			}
		}
		if boot, err := parseBootTime(text); err == nil && boot == 0 {
			t.Error("booted at the epoch")
		}
		if averages, err := parseLoad(text); err == nil && !(averages[0] >= 0 && averages[1] >= 0 && averages[2] >= 0) {
			t.Errorf("load %v", averages)
		}
		if info, err := parseMeminfo(text); err == nil {
			if stats, err := memoryFromMeminfo(info); err == nil && stats.swapUsed != nil && *stats.swapUsed > *stats.swapTotal {
				t.Errorf("memory %+v", stats)
			}
		}
		_, _ = parsePressure(text)
		mounts, err := topMounts(string(text), "/")
		if err != nil && !errors.Is(err, errMountInfo) {
			t.Error(err)
		}
		seen := make(map[string]bool)
		for _, m := range mounts {
			if seen[m.path] {
				t.Errorf("%q twice", m.path)
			}
			seen[m.path] = true
		}
	})
}
