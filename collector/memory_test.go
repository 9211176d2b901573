package collector

import (
	"context"
	"testing"
)

func TestMemoryOfThisMachine(t *testing.T) {
	c := made(t)(NewMemory(thisMachine()))
	total := values(t, c, "memory_total_bytes")[""]
	used := values(t, c, "memory_used_bytes")[""]
	if total < 1<<20 || used <= 0 || used > total {
		t.Errorf("used %v of %v bytes", used, total)
	}
	lintExposition(t, c)
}

func TestMemoryUnknownAndInconsistent(t *testing.T) {
	c := memoryCollector{read: func(context.Context) (memoryStats, error) {
		return memoryStats{total: 100, available: 120}, nil
	}}
	compareExposition(t, c, `
# HELP server_monitor_memory_available_bytes Memory that programs can still get without swapping, in bytes; estimated as free + buffers + cached on kernels before Linux 3.14.
# TYPE server_monitor_memory_available_bytes gauge
server_monitor_memory_available_bytes 120
# HELP server_monitor_memory_total_bytes Physical memory that the kernel can use, in bytes.
# TYPE server_monitor_memory_total_bytes gauge
server_monitor_memory_total_bytes 100
# HELP server_monitor_memory_used_bytes Memory that is not available, in bytes: total - available.
# TYPE server_monitor_memory_used_bytes gauge
server_monitor_memory_used_bytes 0
`)
}
