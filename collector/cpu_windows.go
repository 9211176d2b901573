package collector

import "github.com/shirou/gopsutil/v4/cpu"

// cpuSystemSeconds takes the interrupt time out of the system time: Windows
// counts it in both (SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION).
func cpuSystemSeconds(t cpu.TimesStat) float64 { return t.System - t.Irq }
