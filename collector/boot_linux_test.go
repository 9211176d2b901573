package collector

import (
	"io/fs"
	"testing"
)

func TestBoot(t *testing.T) {
	c := made(t)(NewBoot(Paths{Proc: "testdata/proc"}))
	compareExposition(t, c, `
# HELP server_monitor_boot_time_seconds When the machine started, in seconds since the Unix epoch; time() minus it is the uptime.
# TYPE server_monitor_boot_time_seconds gauge
server_monitor_boot_time_seconds 1.722470401e+09
`)
}

func TestBootFailures(t *testing.T) {
	wantFailure(t, made(t)(NewBoot(Paths{Proc: "testdata/proc_container"})), fs.ErrNotExist)
	wantFailure(t, made(t)(NewBoot(Paths{Proc: "testdata/proc_broken"})), nil)
	wantFailure(t, made(t)(NewBoot(Paths{Proc: "testdata/proc_empty"})), nil)
}
