package proctest

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// folder makes the folder of a fixture, which goes away with the test. It is in
// memory where there is room: some file systems take half a minute for 5,000
// processes.
func folder(tb testing.TB) string {
	tb.Helper()
	const memory, roomNeeded = "/dev/shm", 1 << 30
	var fs unix.Statfs_t
	if unix.Statfs(memory, &fs) != nil || fs.Type != unix.TMPFS_MAGIC || fs.Bavail*uint64(fs.Bsize) < roomNeeded {
		return tb.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "proctest")
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
