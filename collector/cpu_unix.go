//go:build !linux && !windows

package collector

import "github.com/shirou/gopsutil/v4/cpu"

// cpuSystemSeconds is the system time as it is: CP_SYS and CP_INTR are apart.
func cpuSystemSeconds(t cpu.TimesStat) float64 { return t.System }
