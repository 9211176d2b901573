package proctest

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A fixture of so many processes is written to memory where there is room:
// some file systems take half a minute for it.
const (
	manyProcesses = 1000
	roomNeeded    = 1 << 30
)

// folder makes the folder of a fixture, which goes away with the test.
func folder(tb testing.TB, processes int) string {
	tb.Helper()
	const memory = "/dev/shm"
	var fs unix.Statfs_t
	if processes < manyProcesses || unix.Statfs(memory, &fs) != nil || fs.Type != unix.TMPFS_MAGIC || fs.Bavail*uint64(fs.Bsize) < roomNeeded {
		return tb.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "proctest")
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
