package collector

import (
	"io/fs"
	"testing"
)

func TestLoad(t *testing.T) {
	c := made(t)(NewLoad(Paths{Proc: "testdata/proc"}))
	compareExposition(t, c, `
# HELP server_monitor_load1 Processes that ran or waited to run, on Linux also those in uninterruptible sleep, averaged over 1 minute.
# TYPE server_monitor_load1 gauge
server_monitor_load1 0.52
# HELP server_monitor_load15 Processes that ran or waited to run, on Linux also those in uninterruptible sleep, averaged over 15 minutes.
# TYPE server_monitor_load15 gauge
server_monitor_load15 0.47
# HELP server_monitor_load5 Processes that ran or waited to run, on Linux also those in uninterruptible sleep, averaged over 5 minutes.
# TYPE server_monitor_load5 gauge
server_monitor_load5 0.61
`)
}

func TestLoadFailures(t *testing.T) {
	wantFailure(t, made(t)(NewLoad(Paths{Proc: "testdata/proc_container"})), fs.ErrNotExist)
	wantFailure(t, made(t)(NewLoad(Paths{Proc: "testdata/proc_broken"})), nil)
	wantFailure(t, made(t)(NewLoad(Paths{Proc: "testdata/proc_empty"})), nil)
}

// TestNoProcfs checks that a wrong --path.procfs is found out at start.
func TestNoProcfs(t *testing.T) {
	paths := Paths{Proc: "testdata/absent", Root: "/"}
	for name, construct := range map[string]func() (Collector, error){
		"cpu":        func() (Collector, error) { return NewCPU(paths, false) },
		"memory":     func() (Collector, error) { return NewMemory(paths) },
		"load":       func() (Collector, error) { return NewLoad(paths) },
		"boot":       func() (Collector, error) { return NewBoot(paths) },
		"pressure":   func() (Collector, error) { return NewPressure(paths) },
		"filesystem": func() (Collector, error) { return NewFilesystem(paths, FilesystemConfig{}, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := construct(); err == nil {
				t.Errorf("made %T without procfs", c)
			}
		})
	}
}
