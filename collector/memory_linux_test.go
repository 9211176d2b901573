package collector

import (
	"io/fs"
	"testing"
)

func TestMemory(t *testing.T) {
	c := made(t)(NewMemory(Paths{Proc: "testdata/proc"}))
	compareExposition(t, c, `
# HELP server_monitor_memory_available_bytes Memory that programs can still get without swapping, in bytes; estimated as free + buffers + cached on kernels before Linux 3.14.
# TYPE server_monitor_memory_available_bytes gauge
server_monitor_memory_available_bytes 5.242978304e+09
# HELP server_monitor_memory_buffers_bytes Memory that buffers raw disk blocks, in bytes.
# TYPE server_monitor_memory_buffers_bytes gauge
server_monitor_memory_buffers_bytes 4.36224e+06
# HELP server_monitor_memory_cached_bytes Memory of the page cache, shared memory and tmpfs included, in bytes.
# TYPE server_monitor_memory_cached_bytes gauge
server_monitor_memory_cached_bytes 4.714405888e+09
# HELP server_monitor_memory_total_bytes Physical memory that the kernel can use, in bytes.
# TYPE server_monitor_memory_total_bytes gauge
server_monitor_memory_total_bytes 8.016375808e+09
# HELP server_monitor_memory_used_bytes Memory that is not available, in bytes: total - available.
# TYPE server_monitor_memory_used_bytes gauge
server_monitor_memory_used_bytes 2.773397504e+09
# HELP server_monitor_swap_total_bytes Size of all swap areas, in bytes; 0 without swap.
# TYPE server_monitor_swap_total_bytes gauge
server_monitor_swap_total_bytes 4.244631552e+09
# HELP server_monitor_swap_used_bytes Swap space in use, in bytes.
# TYPE server_monitor_swap_used_bytes gauge
server_monitor_swap_used_bytes 5.2969472e+07
`)
}

func TestMemoryOfOldKernel(t *testing.T) {
	c := made(t)(NewMemory(Paths{Proc: "testdata/proc_old"}))
	if got, want := values(t, c, "memory_available_bytes")[""], float64(104220+90112+512004)*1024; got != want {
		t.Errorf("available %v, want free + buffers + cached = %v", got, want)
	}
	swap := values(t, c, "swap_total_bytes")
	if total, ok := swap[""]; !ok || total != 0 {
		t.Errorf("swap %v, want a 0 for a machine without", swap)
	}
}

func TestMemoryFailures(t *testing.T) {
	wantFailure(t, made(t)(NewMemory(Paths{Proc: "testdata/proc_container"})), fs.ErrNotExist)
	wantFailure(t, made(t)(NewMemory(Paths{Proc: "testdata/proc_broken"})), nil)
	wantFailure(t, made(t)(NewMemory(Paths{Proc: "testdata/proc_empty"})), nil)
}

func TestMemoryFromMeminfo(t *testing.T) {
	n := func(v uint64) *uint64 { return &v }
	cases := []struct {
		name          string
		info          meminfo
		available     uint64
		swapKnown, ok bool
	}{
		{name: "nothing"},
		{name: "total alone", info: meminfo{total: n(100)}},
		{name: "free alone", info: meminfo{total: n(100), free: n(30)}, available: 30, ok: true},
		{
			name:      "estimate above total",
			info:      meminfo{total: n(100), free: n(90), cached: n(90)},
			available: 100, ok: true,
		},
		{
			name: "swap without free",
			info: meminfo{total: n(100), available: n(1), swapTotal: n(5)}, available: 1, ok: true,
		},
		{
			name: "more swap free than there is",
			info: meminfo{
				total: n(100), available: n(1), swapTotal: n(5), swapFree: n(9),
			},
			available: 1, swapKnown: true, ok: true,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			stats, err := memoryFromMeminfo(c.info)
			if (err == nil) != c.ok {
				t.Fatalf("error %v", err)
			}
			if stats.available != c.available {
				t.Errorf("available %d, want %d", stats.available, c.available)
			}
			if (stats.swapUsed != nil) != c.swapKnown {
				t.Errorf("swap used %v", stats.swapUsed)
			}
			if stats.swapUsed != nil && *stats.swapUsed != 0 {
				t.Errorf("swap used %d", *stats.swapUsed)
			}
		})
	}
}
