package collector

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

func TestPressure(t *testing.T) {
	c := made(t)(NewPressure(Paths{Proc: "testdata/proc"}))
	compareExposition(t, c, `
# HELP server_monitor_pressure_cpu_waiting_seconds_total Seconds in which at least one task waited for a processor.
# TYPE server_monitor_pressure_cpu_waiting_seconds_total counter
server_monitor_pressure_cpu_waiting_seconds_total 52117.302913
# HELP server_monitor_pressure_io_stalled_seconds_total Seconds in which all tasks that had work waited for input or output at once.
# TYPE server_monitor_pressure_io_stalled_seconds_total counter
server_monitor_pressure_io_stalled_seconds_total 4019.28331
# HELP server_monitor_pressure_io_waiting_seconds_total Seconds in which at least one task waited for input or output.
# TYPE server_monitor_pressure_io_waiting_seconds_total counter
server_monitor_pressure_io_waiting_seconds_total 4412.309872
# HELP server_monitor_pressure_memory_stalled_seconds_total Seconds in which all tasks that had work waited for memory at once.
# TYPE server_monitor_pressure_memory_stalled_seconds_total counter
server_monitor_pressure_memory_stalled_seconds_total 1.100208
# HELP server_monitor_pressure_memory_waiting_seconds_total Seconds in which at least one task waited for memory.
# TYPE server_monitor_pressure_memory_waiting_seconds_total counter
server_monitor_pressure_memory_waiting_seconds_total 1.204419
`)
}

func TestPressureFailures(t *testing.T) {
	wantFailure(t, made(t)(NewPressure(Paths{Proc: "testdata/proc_old"})), ErrNoData)
	wantFailure(t, made(t)(NewPressure(Paths{Proc: "testdata/proc_broken"})), nil)
	wantFailure(t, made(t)(NewPressure(Paths{Proc: "testdata/proc_empty"})), nil)
}

func TestReadPressure(t *testing.T) {
	total := new(uint64(1_500_000))
	pathError := func(errno syscall.Errno) error {
		return fmt.Errorf("psi: %w", &fs.PathError{Op: "open", Path: "/proc/pressure/x", Err: errno})
	}
	cases := []struct {
		name    string
		read    func(resource string) (pressureTotals, error)
		samples int
		err     error
	}{
		{
			name: "not compiled in",
			read: func(string) (pressureTotals, error) { return pressureTotals{}, pathError(syscall.ENOENT) },
			err:  ErrNoData,
		},
		{
			name: "switched off",
			read: func(string) (pressureTotals, error) { return pressureTotals{}, pathError(syscall.EOPNOTSUPP) },
			err:  ErrNoData,
		},
		{
			name: "denied",
			read: func(string) (pressureTotals, error) { return pressureTotals{}, pathError(syscall.EACCES) },
			err:  fs.ErrPermission,
		},
		{
			name: "one resource alone",
			read: func(resource string) (pressureTotals, error) {
				if resource != "io" {
					return pressureTotals{}, pathError(syscall.ENOENT)
				}
				return pressureTotals{some: total}, nil
			},
			samples: 1,
		},
		{
			name: "cpu has no full",
			read: func(string) (pressureTotals, error) {
				return pressureTotals{some: total, full: total}, nil
			},
			samples: 5,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			samples, err := readPressure(c.read)
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if len(samples) != c.samples {
				t.Errorf("%d samples, want %d", len(samples), c.samples)
			}
			for _, s := range samples {
				if s.seconds != 1.5 {
					t.Errorf("%v seconds, want 1.5", s.seconds)
				}
			}
		})
	}
}
