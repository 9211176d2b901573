package collector

import (
	"io/fs"
	"testing"
)

func TestCPU(t *testing.T) {
	c := made(t)(NewCPU(Paths{Proc: "testdata/proc"}, false))
	compareExposition(t, c, `
# HELP server_monitor_cpu_logical_processors Logical cores that are online.
# TYPE server_monitor_cpu_logical_processors gauge
server_monitor_cpu_logical_processors 4
# HELP server_monitor_cpu_seconds_total Seconds that all cores together spent in each mode, guests counted as user and nice; 0 in the modes that the operating system does not count.
# TYPE server_monitor_cpu_seconds_total counter
server_monitor_cpu_seconds_total{mode="idle"} 1.240538822e+07
server_monitor_cpu_seconds_total{mode="iowait"} 12770.21
server_monitor_cpu_seconds_total{mode="irq"} 0
server_monitor_cpu_seconds_total{mode="nice"} 615.22
server_monitor_cpu_seconds_total{mode="softirq"} 4022.19
server_monitor_cpu_seconds_total{mode="steal"} 884.1
server_monitor_cpu_seconds_total{mode="system"} 91583.38
server_monitor_cpu_seconds_total{mode="user"} 304812.74
`)
}

func TestCPUPerCore(t *testing.T) {
	c := made(t)(NewCPU(Paths{Proc: "testdata/proc_old"}, true))
	compareExposition(t, c, `
# HELP server_monitor_cpu_logical_processors Logical cores that are online.
# TYPE server_monitor_cpu_logical_processors gauge
server_monitor_cpu_logical_processors 1
# HELP server_monitor_cpu_seconds_total Seconds that each core spent in each mode, guests counted as user and nice; 0 in the modes that the operating system does not count.
# TYPE server_monitor_cpu_seconds_total counter
server_monitor_cpu_seconds_total{cpu="0",mode="idle"} 40
server_monitor_cpu_seconds_total{cpu="0",mode="iowait"} 0.5
server_monitor_cpu_seconds_total{cpu="0",mode="irq"} 0.06
server_monitor_cpu_seconds_total{cpu="0",mode="nice"} 0.2
server_monitor_cpu_seconds_total{cpu="0",mode="softirq"} 0.07
server_monitor_cpu_seconds_total{cpu="0",mode="steal"} 0
server_monitor_cpu_seconds_total{cpu="0",mode="system"} 3
server_monitor_cpu_seconds_total{cpu="0",mode="user"} 10
`)
}

func TestCPUFailures(t *testing.T) {
	wantFailure(t, made(t)(NewCPU(Paths{Proc: "testdata/proc_container"}, false)), fs.ErrNotExist)
	wantFailure(t, made(t)(NewCPU(Paths{Proc: "testdata/proc_broken"}, false)), nil)
	wantFailure(t, made(t)(NewCPU(Paths{Proc: "testdata/proc_empty"}, false)), nil)
}
